"""How large files may be, each limit with its reason. They bound what is stored, not what an event may say."""

from typing import Final

UPLOAD_BYTES_MAX: Final = 500 * 1024 * 1024
"""What a meeting takes where nothing else is set: Lync's MaxUploadFileSizeMb."""

ITEM_BYTES_MAX: Final = 10 * 1024 * 1024
"""What an item takes where nothing else is set: an Exchange organisation sends and receives 10 MB by default."""

EWS_BYTES_MAX: Final = 48 * 1024 * 1024
"""What an item can be set to take: Exchange Web Services stop at 64 MiB a request, where a file is a third larger."""
