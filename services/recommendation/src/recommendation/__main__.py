"""`python -m recommendation init | serve | work`."""

from service_kit.runtime import main

from recommendation.service import SERVICE

if __name__ == "__main__":
    main(SERVICE)
