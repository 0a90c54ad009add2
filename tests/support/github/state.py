"""What there is on GitHub: one repository with its threads and pull requests, and its branches in a bare repository.

Without a bare repository it is one that nobody has pushed to yet.
"""

from dataclasses import dataclass, field

from support.git import git, tip

PERSON, BOT = ("octocat", "User"), ("github-actions[bot]", "Bot")
ALL = frozenset({"actions: read", "contents: write", "issues: write", "pull-requests: write"})
READ_ONLY = frozenset({"contents: read", "issues: read", "pull-requests: read"})
"""What the token of a pull request from a fork may do, whatever the workflow grants."""

LONGEST = 65_536


class RefusedError(Exception):
    """An answer with an error: its status, message, and details if any."""

    def __init__(self, status, message, *errors):
        super().__init__(message)
        self.status = status
        self.message = message
        self.errors = errors


@dataclass
class Comment:
    id: int
    number: int
    body: str
    author: tuple[str, str] | None


@dataclass
class Head:
    """The branch of a pull request; `repository` is None where it was deleted. `sha` is the last one known."""

    ref: str
    repository: str | None
    sha: str
    base: str
    draft: bool = False
    merged_as: str | None = None
    merged_into: str | None = None


@dataclass
class Thread:
    """An issue, or with a head a pull request."""

    number: int
    title: str
    body: str | None
    author: tuple[str, str] | None = PERSON
    state: str = "open"
    locked: bool = False
    head: Head | None = None


@dataclass
class Workflow:
    """`scheduled`: when its schedule last started it, as GitHub spells instants."""

    path: str
    state: str = "active"
    scheduled: str | None = None


@dataclass
class State:
    name: str
    bare: object = None
    default_branch: str = "main"
    issues_enabled: bool = True
    actions_may_open_pull_requests: bool = True
    threads: dict = field(default_factory=dict)
    comments: dict = field(default_factory=dict)
    rules: dict = field(default_factory=dict)
    """Those in force, by branch, as GitHub spells them; what it requires besides is filled in."""
    workflows: list = field(default_factory=list)

    # ---------------------------------------------------------------------------------------------- threads

    def thread(self, number):
        if int(number) in self.threads:
            return self.refreshed(self.threads[int(number)])
        raise RefusedError(404, "Not Found")

    def pull_request(self, number):
        thread = self.thread(number)
        if thread.head is None:
            raise RefusedError(404, "Not Found")
        return thread

    def add(self, title, body, author, head=None):
        number = len(self.threads) + 1
        self.threads[number] = Thread(number, title, body, author, head=head)
        return self.threads[number]

    def comment(self, number, body, author):
        thread = self.thread(number)
        if thread.locked:
            raise RefusedError(403, "Unable to create comment because issue is locked.")
        check_length(body, "IssueComment")
        comment = Comment(1000 + len(self.comments), thread.number, body, author)
        self.comments[comment.id] = comment
        return comment

    def refreshed(self, thread):
        """A pull request follows its branch. It is merged when its commits are in the base, and closed when nothing is
        left of it.
        """
        head = thread.head
        if head and thread.state == "open" and self.bare and head.repository == self.name:
            merged = self.within(head.sha, head.base)
            head.merged_as = head.sha if merged else None
            tip = self.tip(head.ref)
            if merged or tip is None or self.within(tip, head.base):
                thread.state = "closed"
            head.sha = tip or head.sha
        return thread

    def open_pull_request(self, title, body, author, head):
        """What POST /pulls does. Its refusals are those of GitHub."""
        check_length(body or "", "PullRequest")
        if author == BOT and not self.actions_may_open_pull_requests:
            raise RefusedError(403, "GitHub Actions is not permitted to create or approve pull requests.")
        for name, ref in (("base", head.base), ("head", head.ref)):
            if self.tip(ref) is None:
                raise RefusedError(
                    422, "Validation Failed", {"resource": "PullRequest", "field": name, "code": "invalid"}
                )
        owner = self.name.partition("/")[0]
        others = (self.refreshed(each) for each in self.threads.values() if each.head)
        if any((each.state, each.head.ref, each.head.base) == ("open", head.ref, head.base) for each in others):
            raise custom(f"A pull request already exists for {owner}:{head.ref}.")
        if self.within(self.tip(head.ref), head.base):
            raise custom(f"No commits between {head.base} and {head.ref}")
        head.sha = self.tip(head.ref)
        return self.add(title, body, author, head)

    def merge(self, number, *, squash=False):
        """What the green button does, for a branch that is up to date with its base."""
        head = self.pull_request(number).head
        head.merged_into = self.tip(head.base)
        parents = ["-p", head.merged_into, *([] if squash else ["-p", head.sha])]
        head.merged_as = git(self.bare, "commit-tree", f"{head.sha}^{{tree}}", *parents, "-m", f"Merge #{number}")
        git(self.bare, "update-ref", f"refs/heads/{head.base}", head.merged_as)
        self.threads[number].state = "closed"
        return head.merged_as

    # --------------------------------------------------------------------------------------------- branches

    def tip(self, branch):
        """The commit a branch is at, None where there is no such branch."""
        return (self.bare and tip(self.bare, branch)) or None

    def within(self, commit, branch):
        """Whether a branch holds a commit already."""
        return not git(self.bare, "rev-list", "-n1", commit, f"^refs/heads/{branch}")

    def commits(self, branch, path):
        """Newest first."""
        if not self.bare or not git(self.bare, "for-each-ref", "refs/heads"):
            raise RefusedError(409, "Git Repository is empty.")
        if self.tip(branch) is None:
            raise RefusedError(404, "Not Found")
        return git(self.bare, "log", "--format=%H", f"refs/heads/{branch}", "--", path).split()

    def brings(self, thread, sha):
        """Whether a commit is one of a pull request's, or the one it was merged as."""
        head = thread.head
        if sha in (head.merged_as, head.sha):
            return True
        since = head.merged_into or f"refs/heads/{head.base}"
        return bool(self.bare) and sha in git(self.bare, "rev-list", head.sha, f"^{since}").split()

    def files(self, thread):
        """The changed files of a pull request: status letters and paths, old and new for a renamed one."""
        base = git(self.bare, "merge-base", f"refs/heads/{thread.head.base}", thread.head.sha)
        listed = git(self.bare, "diff", "--name-status", "-z", "-M", thread.head.merged_into or base, thread.head.sha)
        fields = iter(listed.split("\0"))
        for letter in fields:
            if letter:
                yield letter[0], [next(fields) for _ in range(2 if letter[0] == "R" else 1)]


def check_length(body, resource):
    if len(body) > LONGEST:
        detail = {"code": "custom", "message": f"body is too long (maximum is {LONGEST} characters)"}
        raise RefusedError(422, "Validation Failed", {"resource": resource, "field": "body", **detail})


def custom(message):
    return RefusedError(422, "Validation Failed", {"resource": "PullRequest", "code": "custom", "message": message})
