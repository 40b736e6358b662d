"""What the desk of the 3PL's own people keeps: their views of lists, work over many rows, problems they set aside."""

from .dismissals import Dismissal
from .jobs import Job, JobPart
from .views import View

__all__ = ["Dismissal", "Job", "JobPart", "View"]
