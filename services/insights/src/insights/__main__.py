"""`python -m insights init | serve | work`."""

from service_kit.runtime import main

from insights.service import SERVICE

main(SERVICE)
