"""Inside the critic: what the WGAN papers draw of it, measured while somebody looks.

`results` is what is published, `inspector` measures it, `attention` knows who looks, `pace` keeps
it cheap; `truth` adds the figures that need a history to the measured ones.
"""
