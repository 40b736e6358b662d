"""Every kind of trouble there is: what fails so, what is its cause, and who must act."""

from .of_messages import OF_MESSAGES
from .of_orders import OF_ORDERS
from .of_systems import OF_SYSTEMS

KINDS = [*OF_ORDERS, *OF_SYSTEMS, *OF_MESSAGES]
