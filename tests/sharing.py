"""A worker of pytest-xdist gets a file in one piece, or a folder in which one running product serves all tests."""

from xdist.scheduler import LoadFileScheduling
from xdist.workermanage import WorkerController

FIRST = ("tests/drills/", "tests/browser/", "tests/guide/", "tests/config/test_once.py")  # the pieces that take longest


class Sharing(LoadFileScheduling):
    """The longest pieces go out first, so that no worker is left alone with one at the end. Then files, by size."""

    def _split_scope(self, nodeid: str) -> str:
        return next(filter(nodeid.startswith, FIRST), "") or super()._split_scope(nodeid)

    def _assign_work_unit(self, node: WorkerController) -> None:
        for piece in reversed(FIRST):
            if piece in self.workqueue:
                self.workqueue.move_to_end(piece, last=False)
        super()._assign_work_unit(node)
