"""What a process of privacy works on keys with."""

from dataclasses import dataclass

from service_kit.merging import Merges
from service_kit.runtime import Connections

from privacy.audit.repository import Chain
from privacy.consents.repository import Consents
from privacy.keys.drawing import Drawing
from privacy.keys.replacing import Replacing
from privacy.keys.repository import KeyRepository
from privacy.requests.repository import Requests


@dataclass(frozen=True)
class KeyParts:
    keys: KeyRepository
    drawing: Drawing
    replacing: Replacing

    @classmethod
    def of(cls, c: Connections) -> "KeyParts | None":
        """None where everything lies in the clear."""
        if c.keys is None:
            return None
        keys = KeyRepository(c.db)
        drawing = Drawing(c.client, keys, c.keys.provider, c.clock)
        replacing = Replacing(
            c.client,
            keys,
            drawing,
            c.keys.provider,
            c.keys.held,
            Chain(c.db),
            Consents(c.db, c.sealer),
            Requests(c.db, c.sealer),
            Merges(c.db),
            c.clock,
        )
        return cls(keys, drawing, replacing)
