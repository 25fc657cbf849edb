"""Every limit of the wire contract, with its reason. Decoding enforces all of them."""

from typing import Final

RECORD_BYTES_MAX: Final = 1024 * 1024
"""A whole record's value. Exchange clients stop at items of 1,048,576 bytes; Kafka's own default is the same."""

TEXT_CHARS_MAX: Final = 1024 * 1024
"""What a person typed. The record's limit is met first for all but the shortest encodings; this bounds the rest."""

CONVERSATION_CHARS_MAX: Final = 512
"""A conversation id. Conference URIs are a SIP address, a GRUU and a meeting id."""

SIP_CHARS_MAX: Final = 1024
"""A SIP address. 255 bytes of handle, each escaped to three characters, and a host of 253."""

NAME_CHARS_MAX: Final = 512
"""A display name. Active Directory stops at 256; federated and recorded names get twice that."""

SUBJECT_CHARS_MAX: Final = 1024
"""A meeting's subject. Exchange stops at 255; twice escaped or translated subjects fit."""

URI_CHARS_MAX: Final = 2048
"""A conference's join URI, the length that browsers and proxies agree to carry."""

EVENT_ID_CHARS_MAX: Final = 256
"""A CloudEvents id. A GUID is 36; the rest is room for other sources."""

SOURCE_CHARS_MAX: Final = 512
"""A CloudEvents source: pool, user and device as a URI reference."""

PARTICIPANTS_MAX: Final = 2000
"""People of one conversation over its life. Large meetings hold 1,000 at once (support for large meetings)."""

CONTENT_ID_CHARS_MAX: Final = 256
"""The Lync side's own id of a shared file or whiteboard."""

FILE_NAME_CHARS_MAX: Final = 255
"""A file's name: what Windows file systems hold."""

MEDIA_TYPE_CHARS_MAX: Final = 255
"""A media type: two names of 127 characters at most (RFC 6838)."""

CHOICES_MAX: Final = 20
"""Choices of a poll. Lync's own dialogue stops at 7."""

CHOICE_CHARS_MAX: Final = 1024
"""A choice of a poll: as much as a subject."""

LINK_CHARS_MAX: Final = 2048
"""A link to notes, the length that browsers agree to carry."""

SEQUENCE_MAX: Final = 2**63 - 1
"""The largest sequence: what a signed 64-bit integer holds, here, in BSON and in Java."""

GAPS_MAX: Final = 10_000
"""Holes of one conversation. Each costs about 30 bytes of its document, which must stay far below 16 MiB."""

MOVES_MAX: Final = 100_000
"""Events of one conversation beside messages, of which any may be a coming, a going or a change of role.

Each of these costs about 75 bytes of its document, as above. Beyond it only what takes something away is noted.
"""

UNDELIVERED_MAX: Final = 100_000
"""Messages that did not reach somebody, counted for each whom they did not reach, of one conversation.

Each costs about 20 bytes of its document, and as many of that person's item.
"""
