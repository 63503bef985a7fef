from twin.api import Command as Command
from twin.api import Comparison as Comparison
from twin.api import Family as Family
from twin.api import Run as Run
from twin.api import Session as Session
from twin.api import Timeline as Timeline
from twin.api import branch as branch
from twin.api import command as command
from twin.api import fork as fork
from twin.api import load as load

__version__: str
