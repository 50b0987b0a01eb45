"""What cannot be exported, all of it at once."""


class Refused(Exception):
    """One op, or a part of one, that cannot be said in the IR."""


class ExportError(Exception):
    """problems: one line each, `where: what`, in the order of the program."""

    def __init__(self, problems):
        self.problems = list(dict.fromkeys(problems))
        super().__init__("\n".join(self.problems))
