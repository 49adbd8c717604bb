"""`consent`: the contact may be contacted for a purpose over a channel."""

from journeys.conditions.base import BaseCondition, Facts, Needs, Verdict
from journeys.values import ConsentRequirement


class ConsentCondition(BaseCondition):
    """The contact's consent stands: granted and not withdrawn."""

    consent: ConsentRequirement

    def needs(self) -> Needs:
        return Needs(consents=True)

    def judge(self, facts: Facts) -> Verdict:
        holds = (self.consent.purpose.value, self.consent.channel.value) in facts.consents
        return Verdict(holds=holds, because=f"{self._name()} {'stands' if holds else 'does not stand'}")

    def describe(self) -> str:
        return f"{self._name()} stands"

    def _name(self) -> str:
        return f"consent to {self.consent.purpose.value} by {self.consent.channel.value}"
