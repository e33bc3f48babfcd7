"""`python -m privacy init | serve | work`."""

from service_kit.runtime import main

from privacy.service import SERVICE

main(SERVICE)
