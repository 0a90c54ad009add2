"""A GitHub for tests: its API over real HTTP on loopback, each request and answer checked against its description."""

from support.github.server import TOKEN, GitHubDouble
from support.github.state import BOT, PERSON, READ_ONLY, RefusedError

__all__ = ["BOT", "PERSON", "READ_ONLY", "TOKEN", "GitHubDouble", "RefusedError"]
