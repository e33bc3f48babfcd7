"""`python -m learner_profile init | serve | work | train`."""

from service_kit.runtime import main

from learner_profile.service import SERVICE

if __name__ == "__main__":
    main(SERVICE)
