"""``ds01 bookings``: what is booked, and giving it up."""

from ds01.cli.command import Group

GROUP = Group(
    summary="See what is booked, and give it up",
    idea="A booking keeps GPUs for you at a time you said. What you do not need any more, give up: nothing that would"
    " run into a booking is started on its GPUs, hours before it begins.",
    topics=("queue",),
    default="list",
)
