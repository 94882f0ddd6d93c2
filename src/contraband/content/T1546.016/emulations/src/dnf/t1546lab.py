import subprocess

import dnf


class Lab(dnf.Plugin):
    name = "t1546lab"

    def __init__(self, base, cli):
        super().__init__(base, cli)
        subprocess.run(["curl", "-s", "-m", "2", "http://127.0.0.1:9/dnf-plugin"], check=False)
