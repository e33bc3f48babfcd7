from service_kit.runtime import main

from ingest.service import SERVICE

main(SERVICE)
