"""The live parts of the page Theory: experiments of the blackboard while they run."""

from __future__ import annotations

from wgan.live.theory import clips, dual, lines, reach
from wgan.server.stream import Parts

PARTS: Parts = {
    "theory_lines": lines.part,
    "theory_reach": reach.part,
    "theory_dual": dual.part,
    "theory_clips": clips.part,
}
