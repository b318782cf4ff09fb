"""Variants about text: scripts, symbols, and characters that should not be there."""

from sandbox.shopify.catalogue import ARABIC, JAPANESE, POLISH
from sandbox.shopify.draft import Draft


def _japanese(order: dict, draft: Draft) -> None:
    draft.person = JAPANESE
    draft.line_changes[0] = {"title": "手織りの帯", "name": "手織りの帯 - 紺", "variant_title": "紺"}
    draft.line_changes[1] = {"title": "竹の椅子", "name": "竹の椅子", "variant_title": None}


def _polish(order: dict, draft: Draft) -> None:
    draft.person = POLISH
    draft.line_changes[0] = {"title": "Płaszcz zimowy „Żubr”", "name": "Płaszcz zimowy „Żubr” - źdźbło"}


def _foreign_vendor(order: dict, draft: Draft) -> None:
    draft.line_changes[0] = {"vendor": "株式会社みなみ", "sku": "ミナミ-01"}
    draft.line_changes[1] = {"vendor": "Łoś & Syn", "sku": "ŁOŚ/1"}


def _symbols(order: dict, draft: Draft) -> None:
    title = "Tea <Earl & Grey> \"No. 5\" 'fine' – ½ lb ™ ≤ 5 €"
    draft.line_changes[0] = {"title": title, "name": title}
    order["note"] = "Ring twice & wait;\nleave at the <back> door\r\n\tthank you"


def _arabic_emoji(order: dict, draft: Draft) -> None:
    draft.person = ARABIC
    draft.line_changes[0] = {"title": "معطف شتوي 🧥", "name": "معطف شتوي 🧥"}
    order.update(note="شكراً 👩‍👩‍👧 🇧🇭", tags="هدية, gift 🎁")


def _control_characters(order: dict, draft: Draft) -> None:
    title = "Lamp\u0007 with\u000b a bell\u001f\ufffe"
    draft.line_changes[0] = {"title": title, "name": title}
    order["note"] = "Form\u000cfeed"


def _nul_character(order: dict, draft: Draft) -> None:
    draft.line_changes[0] = {"title": "Chair\u0000 oak", "name": "Chair\u0000 oak"}


SCRIPTS = {
    "japanese": _japanese,
    "polish": _polish,
    "foreign_vendor": _foreign_vendor,
    "symbols": _symbols,
    "arabic_emoji": _arabic_emoji,
    "control_characters": _control_characters,
    "nul_character": _nul_character,
}
