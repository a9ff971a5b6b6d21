"""Puts the built reader into wheels, so that `groundup learn` needs no Node; `make wheel` builds it first."""

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class SiteHook(BuildHookInterface):
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        site = Path(self.root, "build", "site")
        if version != "standard":
            return  # an editable install serves the checkout's own
        if (site / "site.json").is_file():
            build_data["force_include"][str(site)] = "groundup/reader/site"
        else:
            self.app.display_warning("build/site is missing: this wheel comes without the reader (`make wheel` has it)")
