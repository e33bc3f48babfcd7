"""Who vouches for a statement (1.0.3 Data 2.4.9). What a client sends as `authority` is overwritten."""

from typing import Final

from xapi.parsing import JsonObject

from ingest.credentials.credential import Account, Credential

AUTHORITY_HOME_PAGE: Final = "https://trellis.invalid/credentials"


def account_of_key(key: str) -> Account:
    return Account(AUTHORITY_HOME_PAGE, key)


def authority_of(credential: Credential) -> JsonObject:
    """An Agent with the caller's account: a key's own, a bearer token's issuer and subject, a launch's issuer's."""
    account = {"homePage": credential.account.home_page, "name": credential.account.name}
    return {"objectType": "Agent", "account": account}
