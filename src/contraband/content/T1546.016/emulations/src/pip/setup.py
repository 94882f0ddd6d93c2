import subprocess

from setuptools import setup
from setuptools.command.install import install

subprocess.call("curl -s -m 2 http://127.0.0.1:9/pip-egg-info || true", shell=True)


class LabInstall(install):
    def run(self):
        install.run(self)
        subprocess.call(["curl", "-s", "-m", "2", "http://127.0.0.1:9/pip-install"])


setup(name="t1546pip", version="1.0", py_modules=["t1546pip"], cmdclass={"install": LabInstall})
