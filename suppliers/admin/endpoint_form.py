"""The form of an endpoint: secrets go in and never come out, and what cannot work is said before it is saved."""

import posixpath
from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldAdminTextareaWidget

from integrations.admin.secrets import clear_tick, what_is_stored
from suppliers import naming
from suppliers.models import Endpoint
from suppliers.transports import addresses, names, ssh_keys
from suppliers.transports.errors import TransportError

SECRETS = ("password", "private_key", "key_passphrase")
Protocol = Endpoint.Protocol
_FOLDERS = {
    "orders_folder": "the orders",
    "replies_folder": "the replies",
    "archive_folder": "the archive of replies",
    "unreadable_folder": "unreadable replies",
    "done_folder": "taken files",
    "failed_folder": "refused files",
    "temporary_mark": "temporary files",
}
_ONCE = ("host", "port", "username", "orders_folder")
_SAID_BEFORE = {"orders_folder", "temporary_mark"}  # by naming.check


class SecretText(UnfoldAdminTextareaWidget):
    """Several lines that are typed and never shown again, also not where the form has a fault."""

    def format_value(self, value: Any) -> str:
        return ""


class EndpointForm(forms.ModelForm):
    """Everything that staff say about a server."""

    clear_password = clear_tick("password")
    clear_private_key = clear_tick("private key")
    clear_key_passphrase = clear_tick("passphrase")

    class Meta:
        model = Endpoint
        fields = "__all__"
        help_texts = {
            "replies_folder": "Where the supplier puts its replies. Blank: it sends none, or another endpoint of this "
            "account reads them."
        }
        widgets = {
            "password": UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
            "private_key": SecretText(attrs={"rows": 4, "autocomplete": "off", "spellcheck": "false"}),
            "key_passphrase": UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in self._secrets:
            self._hide(name)
        if "port" in self.fields:
            self.fields["port"].required = False
            self.fields["port"].help_text = "Blank: the usual one of the protocol."

    def clean_host(self) -> str:
        host = _spelling(self.cleaned_data["host"])
        if "/" in host or "@" in host or " " in host:
            raise forms.ValidationError("Only the server's name or address, such as ftp.supplier.com.")
        if host.count(":") == 1:
            raise forms.ValidationError("Only the server's name or address; the port has a field of its own.")
        if reason := addresses.why_not(host):
            raise forms.ValidationError(reason)
        return self.instance.host if host == _spelling(self.instance.host) else host

    def clean_orders_folder(self) -> str:
        folder = self.cleaned_data["orders_folder"]
        return folder.rstrip("/") or folder

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if "protocol" not in cleaned:
            return cleaned
        cleaned["port"] = self._port(cleaned)
        for name in self._secrets:
            cleaned[name] = self._secret(name, cleaned)
        self._check_login(cleaned)
        self._check_where_password_goes(cleaned)
        self._check_protection(cleaned)
        self._check_names(cleaned)
        self._check_folders(cleaned)
        self._check_once(cleaned)
        self._check_encoding(cleaned)
        return cleaned

    @property
    def _secrets(self) -> list[str]:
        return [name for name in SECRETS if name in self.fields]

    def _hide(self, name: str) -> None:
        self.initial[name] = ""
        is_stored = bool(getattr(self.instance, name))
        self.fields[name].help_text = f"{what_is_stored(self.instance, name)} {self.fields[name].help_text}".strip()
        if not is_stored and f"clear_{name}" in self.fields:
            self.fields[f"clear_{name}"].disabled = True

    def _secret(self, name: str, cleaned: dict[str, Any]) -> str:
        typed, wants_clear = cleaned.get(name) or "", cleaned.get(f"clear_{name}")
        if typed and wants_clear:
            self.add_error(name, "Either enter a new one or clear it, not both.")
        return typed or ("" if wants_clear else str(getattr(self.instance, name)))

    def _port(self, cleaned: dict[str, Any]) -> int | None:
        """Return the port; the usual one follows the protocol."""
        ports, port = Endpoint.DEFAULT_PORTS, cleaned.get("port")
        former = Protocol(self.initial["protocol"]) if self.initial.get("protocol") else Protocol.SFTP
        is_usual = port is not None and port == self.initial.get("port", ports[former]) == ports[former]
        if "port" in self.errors or (port is not None and not is_usual):
            return port
        return ports[cleaned["protocol"]]

    def _check_login(self, cleaned: dict[str, Any]) -> None:
        password, key = cleaned.get("password"), cleaned.get("private_key")
        if cleaned["protocol"] != Protocol.SFTP:
            if key and "private_key" in self.changed_data:
                self.add_error("private_key", "Only SFTP takes a private key.")
            if not password and "password" in self.fields:
                self.add_error("password", "Enter the password.")
        elif not password and not key and "password" in self.fields:
            self.add_error("password", "Enter a password, or paste a private key.")
        elif key:
            try:
                ssh_keys.load(key, cleaned.get("key_passphrase", ""))
            except TransportError as error:
                is_locked = "passphrase" in error.message
                self.add_error("key_passphrase" if is_locked else "private_key", error.message)

    def _check_where_password_goes(self, cleaned: dict[str, Any]) -> None:
        """Let nobody who does not know the stored password have it sent to a server of their own."""
        is_kept = self.instance.password and cleaned.get("password") == self.instance.password
        if is_kept and "password" not in self.changed_data and cleaned.get("host") != self.instance.host:
            self.add_error("password", "Type the password again: the stored one is not sent to another server.")

    def _check_protection(self, cleaned: dict[str, Any]) -> None:
        planned = Endpoint(host=cleaned.get("host", ""), protocol=cleaned["protocol"])
        if planned.host and planned.is_exposed and not cleaned.get("is_plain_accepted"):
            self.add_error(
                "is_plain_accepted",
                "Plain FTP to another machine is not protected. Tick this if the supplier offers nothing else.",
            )

    def _check_names(self, cleaned: dict[str, Any]) -> None:
        wanted = ("orders_folder", "name_template", "temporary_style", "temporary_mark", "done_suffix")
        if any(name not in cleaned for name in wanted):
            return
        try:
            naming.check(Endpoint(**{name: cleaned[name] for name in wanted}))
        except naming.InvalidName as fault:
            words = str(fault)
            place = "temporary_mark" if "temporary" in words else "name_template"
            self.add_error("done_suffix" if "done-file" in words else place, words)

    def _check_folders(self, cleaned: dict[str, Any]) -> None:
        if cleaned.get("after_reading") == Endpoint.AfterReading.ARCHIVE and not cleaned.get("archive_folder"):
            self.add_error("archive_folder", "Say into which folder replies are moved.")
        places: dict[str, str] = {}
        for name in _folders(cleaned):
            # What Hemi takes away, and what it believes of a file that lies there, must be what was meant.
            first = places.setdefault(_place(cleaned[name]), name)
            if first != name and {first, name} not in ({"archive_folder", "unreadable_folder"}, _SAID_BEFORE):
                self.add_error(name, f"It must be another folder than that of {_FOLDERS[first]}.")

    def _check_once(self, cleaned: dict[str, Any]) -> None:
        account = {
            "host__iexact": cleaned.get("host"),
            "port": cleaned.get("port"),
            "username": cleaned.get("username"),
        }
        is_new = any(cleaned.get(name) != getattr(self.instance, name) for name in _ONCE)
        for other in Endpoint.objects.exclude(pk=self.instance.pk).filter(**account):
            if is_new and other.orders_folder == cleaned.get("orders_folder"):
                self.add_error(
                    "host",
                    f"“{other}” is this server, user and folder already. Several suppliers may share one endpoint: "
                    "choose it on the supplier's page.",
                )
            elif other.is_active and cleaned.get("is_active") and _has_same_replies(other, cleaned):
                self.add_error(
                    "replies_folder",
                    f"“{other}” takes the replies out of this folder already, for both. Leave it blank here.",
                )

    def _check_encoding(self, cleaned: dict[str, Any]) -> None:
        """Refuse what could not be said to the server in the chosen encoding."""
        if not (encoding := cleaned.get("name_encoding")):
            return
        is_ftp = cleaned["protocol"] != Protocol.SFTP
        for name in [*_folders(cleaned), *(["username", "password"] if is_ftp else [])]:
            try:
                names.encoded(cleaned.get(name) or "", encoding)
            except TransportError:
                self.add_error(name, f"It holds a character that cannot be written in {encoding.upper()}.")


def _spelling(host: str) -> str:
    return host.strip().rstrip(".").lower()


def _folders(cleaned: dict[str, Any]) -> list[str]:
    is_folder = cleaned.get("temporary_style") == Endpoint.TemporaryStyle.FOLDER
    return [name for name in _FOLDERS if cleaned.get(name, "").strip() and (name != "temporary_mark" or is_folder)]


def _place(folder: str) -> str:
    return posixpath.normpath(folder.strip().strip("/") or ".")


def _has_same_replies(other: Endpoint, cleaned: dict[str, Any]) -> bool:
    mine = cleaned.get("replies_folder", "")
    return bool(mine and other.replies_folder) and _place(mine) == _place(other.replies_folder)
