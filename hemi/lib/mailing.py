"""What may go wrong when a mail is sent."""

from email.errors import MessageError

# smtplib's errors are OSErrors; a host name, an address or a header that cannot be written is one of the others.
ERRORS = (OSError, ValueError, MessageError)
