"""The questions that are kept of a manufacturer's disclosure statement. Pure.

A choice of the form of ANSI/NEMA HN 1-2019 (MDS2), in our own short words, under the form's section
codes: what a hospital asks before it puts a machine on its network. The form itself is the
manufacturer's document; its number and date stand beside the answers.
"""

from __future__ import annotations

from dataclasses import dataclass

SECTIONS = {
    "MPII": "Personally identifiable information",
    "ALOF": "Automatic log-off",
    "AUDT": "Audit controls",
    "AUTH": "Authorization",
    "CSUP": "Security product upgrades",
    "DIDT": "De-identification",
    "DTBK": "Data backup and recovery",
    "EMRG": "Emergency access",
    "IGAU": "Integrity of health data",
    "MLDP": "Malware detection and protection",
    "NAUT": "Node authentication",
    "CONN": "Connectivity",
    "PAUT": "Person authentication",
    "PLOK": "Physical locks",
    "RDMP": "Third-party components",
    "SBOM": "Software bill of materials",
    "SAHD": "System and application hardening",
    "SGUD": "Security guidance",
    "STCF": "Storage confidentiality",
    "TXCF": "Transmission confidentiality",
    "TXIG": "Transmission integrity",
    "RMOT": "Remote service",
    "CNFS": "Configuration of security features",
    "OTHR": "Other",
}


@dataclass(frozen=True, slots=True)
class Question:
    """One question.

    Attributes:
        code: section and our own running number, `ALOF-1`.
        text: the question, to be answered yes, no, n.a. or see note.
    """

    code: str
    text: str

    @property
    def section(self) -> str:
        """Its section's code."""
        return self.code.split("-", 1)[0]


_TEXTS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("MPII", (
        "Can it show, send or keep data of identifiable people?",
        "Does it keep such data after it is switched off?",
        "Does it send such data to other systems?",
        "Can such data be erased for good?",
    )),
    ("ALOF", (
        "Does it lock or log off after some time without use?",
        "Can the hospital set that time?",
    )),
    ("AUDT", (
        "Does it keep an audit log?",
        "Are log-ons, failed ones too, in the log?",
        "Are views and changes of patient data in the log?",
        "Can the log be exported to the hospital's log server?",
    )),
    ("AUTH", (
        "Does it keep people out who have no account?",
        "Are rights given by roles?",
        "Can the hospital take away administrator rights that work doesn't need?",
    )),
    ("CNFS", ("Can the hospital change its security settings?",)),
    ("CSUP", (
        "Does the manufacturer bring security updates of the operating system?",
        "May the hospital install such updates by itself?",
        "Is the hospital told of known weaknesses and of updates?",
    )),
    ("DIDT", ("Can it remove what identifies a person before data leave it?",)),
    ("DTBK", (
        "Is there a backup of settings and data?",
        "Can it be restored by the hospital?",
    )),
    ("EMRG", ("Can it be used in an emergency without an account, and is that logged?",)),
    ("IGAU", ("Does it notice data that were changed or damaged?",)),
    ("MLDP", (
        "Does it have protection against malware, or allow the hospital's?",
        "Is only known software allowed to run (allow list)?",
    )),
    ("NAUT", (
        "Does it check the other system before data are exchanged?",
        "Can connections be limited to a list of systems?",
    )),
    ("CONN", (
        "Does it have a wireless network or Bluetooth?",
        "Does it need the internet?",
        "Are its ports and protocols listed in a document?",
    )),
    ("PAUT", (
        "Does each person have an own account?",
        "Can accounts of the hospital's directory be used (LDAP, OIDC, SAML)?",
        "Can it ask for a second factor?",
        "Can every password that it came with be changed?",
    )),
    ("PLOK", ("Are its parts that keep data behind a lock?",)),
    ("RDMP", ("Does the manufacturer keep a list of third-party software and watch it?",)),
    ("SBOM", (
        "Is there a software bill of materials?",
        "In a machine-readable form (SPDX, CycloneDX)?",
    )),
    ("SAHD", (
        "Is it hardened by a published standard?",
        "Are ports and services that it doesn't need switched off?",
        "Can only signed software be installed?",
    )),
    ("SGUD", ("Is there a document on using it securely, and on taking it out of use?",)),
    ("STCF", (
        "Are data on its disks encrypted?",
        "Are data on media that people carry encrypted?",
    )),
    ("TXCF", (
        "Are data encrypted on the network (DICOM TLS, HTTPS)?",
        "Can it send to such systems only?",
    )),
    ("TXIG", ("Does it notice data that were changed on the way?",)),
    ("RMOT", (
        "Can the manufacturer reach it from outside?",
        "Does the hospital switch that on for each session?",
        "Are such sessions logged?",
    )),
    ("OTHR", ("Is there more that the manufacturer says of its security?",)),
)  # fmt: skip

QUESTIONS: tuple[Question, ...] = tuple(
    Question(f"{section}-{number}", text)
    for section, texts in _TEXTS
    for number, text in enumerate(texts, start=1)
)
BY_CODE = {question.code: question for question in QUESTIONS}
