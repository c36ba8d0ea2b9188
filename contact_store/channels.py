"""Channels as history keeps them: numbers that never change."""

from catalog_store.records import Channel

#: Stored in every proposition: add to it, never renumber or reuse.
CODE_OF_CHANNEL: dict[Channel, int] = {
    Channel.INBOUND_WEB: 1,
    Channel.INBOUND_CALL_CENTER: 2,
    Channel.EMAIL: 3,
    Channel.SMS: 4,
    Channel.PHONE: 5,
    Channel.DIRECT_MAIL: 6,
    Channel.MOBILE_APP: 7,
    Channel.OTHER: 8,
}
CHANNEL_OF_CODE: dict[int, Channel] = {
    code: channel for channel, code in CODE_OF_CHANNEL.items()
}
