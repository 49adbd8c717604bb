"""Which contact a reference leads to, decided on the names that are known. Pure; `crm.contacts` reads and writes them.

The strongest known name decides: user id, then e-mail address, then anonymous id. A weaker name does not lead to a
contact that bears another name of a stronger kind that was given: two people share a device, or an address, without
becoming one person.
"""

from dataclasses import dataclass, field
from uuid import UUID

from crm.models.contact import IdentityKind
from journeys.traits import normalize_email
from kit.documents import text_problem
from kit.errors import Invalid, Problem

Name = tuple[str, str]
"""Kind and value of an identity."""

Owner = UUID | int
"""A contact that exists, or the number of one that is to be made."""


@dataclass(frozen=True)
class ContactReference:
    """The names a caller knows a contact by, at least one. E-mail addresses are compared in lower case.

    Raises:
        Invalid: no name is given, one is blank or too long, or the e-mail address is none.
    """

    contact_id: UUID | None = None
    user_id: str | None = None
    anonymous_id: str | None = None
    email: str | None = None

    def __post_init__(self) -> None:
        problems = [problem for name, value in self._texts() if (problem := text_problem(value, where=name))]
        if self.email is not None and not problems:
            try:
                object.__setattr__(self, "email", normalize_email(self.email).lower())
            except ValueError as error:
                problems.append(Problem("email", "is not an e-mail address.", f"{error}."))
        if self.contact_id is None and not self._texts():
            problems.append(Problem("contact", "is not named.", "Give a contact_id, user_id, email or anonymous_id."))
        if problems:
            raise Invalid("The contact cannot be identified.", problems=problems)

    @property
    def names(self) -> tuple[Name, ...]:
        """The identities given, strongest first."""
        given = (
            (IdentityKind.USER_ID, self.user_id),
            (IdentityKind.EMAIL, self.email),
            (IdentityKind.ANONYMOUS_ID, self.anonymous_id),
        )
        return tuple((kind.value, value) for kind, value in given if value is not None)

    def _texts(self) -> list[tuple[str, str]]:
        given = {"user_id": self.user_id, "anonymous_id": self.anonymous_id, "email": self.email}
        return [(name, value) for name, value in given.items() if value is not None]


@dataclass
class Assignment:
    """Who owns which name, and what must be written so that each reference has its contact.

    Begins with what is known. References are assigned one after the other: a later one finds what an earlier one made.
    """

    owners: dict[Name, Owner] = field(default_factory=dict)
    kinds: set[tuple[Owner, str]] = field(default_factory=set)
    """Which kinds of names a contact bears."""
    assigned: list[Owner] = field(default_factory=list)
    """The contact of each reference, in order."""
    newcomers: list[str | None] = field(default_factory=list)
    """Per contact to be made its e-mail address."""
    attached: dict[Name, Owner] = field(default_factory=dict)
    """Names that nobody bore, and who bears them now."""

    def assign(self, reference: ContactReference) -> None:
        """Give the reference its contact, a new one if need be, and that contact the names nobody bears."""
        owner = self.owner(reference)
        if owner is None:
            owner = len(self.newcomers)
            self.newcomers.append(reference.email)
        for name in reference.names:
            if name not in self.owners:
                self.owners[name] = self.attached[name] = owner
                self.kinds.add((owner, name[0]))
        self.assigned.append(owner)

    def owner(self, reference: ContactReference) -> Owner | None:
        """The contact the reference leads to; None where there is none yet."""
        if reference.contact_id is not None:
            return reference.contact_id
        stronger: list[str] = []
        for name in reference.names:
            owner = self.owners.get(name)
            if owner is not None and not any((owner, kind) in self.kinds for kind in stronger):
                return owner
            stronger.append(name[0])
        return None
