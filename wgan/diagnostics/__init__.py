"""Inside the critic: what the WGAN papers draw of it, measured while somebody looks; and alarms.

`inspector` measures what `wgan.types` describes, `attention` knows who looks, `pace` keeps it
cheap; `truth` adds the figures that need a history to the measured ones; `doctor` tells what ails
a run.
"""
