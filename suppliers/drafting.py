"""From what a document says to its bytes, as a supplier wants them: its rules, its format, its schema."""

import hashlib
from dataclasses import dataclass, field
from typing import Any

from suppliers import presend
from suppliers.documents import confined, formats
from suppliers.documents.content import CANCELLATION, CHANGE, DocumentContent
from suppliers.documents.rendered import InvalidDocument, Rendered
from suppliers.models import DocumentSchema, Mapping, Supplier

_UBL_MAIN = {CHANGE: "UBL-OrderChange-", CANCELLATION: "UBL-OrderCancellation-"}
_TOLD = 3  # faults in one sentence; all of them are kept as findings


@dataclass(frozen=True)
class Draft:
    """A document, or why there is none, and what the supplier's rules found on the way."""

    content: DocumentContent
    findings: list[presend.Finding] = field(default_factory=list)
    rendered: Rendered | None = None
    fault: str = ""


def draft(content: DocumentContent, supplier: Supplier, mapping: Mapping | None = None) -> Draft:
    """Make the document; with `mapping`, as that version would make it, live or not."""
    checked, findings = presend.check(content, supplier.pre_send_rules.all(), supplier.replacements)
    if stops := presend.stops(findings):
        told = " ".join(finding.text for finding in stops[:_TOLD])
        more = f" And {len(stops) - _TOLD} more." if len(stops) > _TOLD else ""
        return Draft(content, findings, fault=f"{told}{more} Mend the order in the store, or the rule at {supplier}.")
    try:
        rendered = formats.render(checked, settings_of(supplier, content.kind, mapping))
    except (InvalidDocument, LookupError) as error:
        return Draft(content, findings, fault=str(error))
    return Draft(content, findings, rendered)


def try_out(content: DocumentContent, supplier: Supplier, mapping: Mapping) -> Rendered:
    """Make the document whatever the rules say would stop it. Raises InvalidDocument."""
    checked, _ = presend.check(content, supplier.pre_send_rules.all(), supplier.replacements)
    return formats.render(checked, settings_of(supplier, content.kind, mapping))


def settings_of(supplier: Supplier, kind: str, mapping: Mapping | None = None) -> formats.FileSettings:
    """Return how the supplier wants its files, or how it would with `mapping`."""
    is_own = mapping is not None or supplier.format == Supplier.Format.OWN
    mapping = mapping or (live_mapping(supplier) if is_own else None)
    return formats.FileSettings(
        format=formats.OWN if is_own else supplier.format,
        encoding=supplier.encoding,
        delimiter=supplier.csv_delimiter,
        unit_code=supplier.unit_code,
        stylesheet=stylesheet(mapping.xslt, supplier.encoding) if mapping else None,
        ending=mapping.file_ending if mapping else "xml",
        schema=_schema(supplier, kind),
    )


def wishes(supplier: Supplier, kind: str) -> tuple[Any, ...]:
    """Return all that a document is made by beside what it says, to be compared with what it is later."""
    rules = [(rule.pk, rule.field, rule.demand, rule.value, rule.remedy) for rule in supplier.pre_send_rules.all()]
    return settings_of(supplier, kind), supplier.replacements, rules


def live_mapping(supplier: Supplier) -> Mapping | None:
    """Return the version of the supplier's own format that its files are made with."""
    return Mapping.objects.filter(supplier=supplier, is_live=True).first()


def stylesheet(xslt: str, encoding: str) -> confined.Source:
    """Return an XSLT as the child process takes it."""
    source = xslt.encode()
    return confined.Source(f"{hashlib.sha256(source).hexdigest()} {encoding}", lambda: source, {"encoding": encoding})


def _schema(supplier: Supplier, kind: str) -> confined.Source | None:
    if supplier.schema_id is None:
        return None
    schema = DocumentSchema.objects.defer("archive").get(pk=supplier.schema_id)
    main = schema.main_document
    if supplier.format == Supplier.Format.UBL and kind in _UBL_MAIN:
        main = main.replace("UBL-Order-", _UBL_MAIN[kind])  # UBL's documents have a schema each, side by side
    return confined.Source(f"{schema.sha256} {main}", lambda: bytes(schema.archive), {"main": main})
