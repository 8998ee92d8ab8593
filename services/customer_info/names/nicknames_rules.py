"""Short forms of given names, folded."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Final

_FAMILIES: Final = """
    alexander alex aleks sascha xander sandro lex; alexandra alex sandra sascha alexa; andreas andi andy; andrea
    andi; andrew andy drew; anna anni anja annika anika ania anka nina; anne anni annika; anthony tony; antonio
    toni tono; antonius toni anton; barbara barb babsi basia; benjamin ben benni benny; bernhard bernd; bernd
    bernhard berni; catherine kate cathy katie cat; katherine kate kathy katie kat; katharina kathi kati katja
    katrin kat tina; christian chris; christina chris tina christl; christine chris tina christl; christopher
    chris kit; christoph chris; charles charlie chuck; daniel dan danny dani; david dave davy; deborah debbie deb;
    dorothea doro thea; edward ed eddie ted; ekaterina katja katya; eduard edi; elisabeth lisa liesl elli betty
    sissi lise; elizabeth liz beth lizzie betty eliza; emanuel manu; ernesto neto; florian flo; francisco paco
    pancho fran; francesco franco cecco; franz franzl; francois frank; frederic fred; frederick fred freddie;
    friedrich fritz fred; gabriele gabi; georg schorsch; george geo; gerhard gerd; giovanni gianni vanni; giuseppe
    beppe peppe; gregory greg; grzegorz grzesiek; gunter gunni; guadalupe lupe; hannah hanna; heinrich heinz
    heiner henry; helmut helmi; hubert hubi; ignacio nacho; ivan vanya; jacob jake jacky; jakob jackl kuba; jakub
    kuba; james jim jimmy jamie; jennifer jen jenny; jessica jess jessie; johann hans hannes; johannes hans hannes
    johann jan; john jack johnny jon; jonathan jon jonny; jose pepe; josef sepp jupp; joseph joe jo; joshua josh;
    julia juli jule; juergen jurgen; kenneth ken kenny; klaus claus; krzysztof krzysiek krzys; leonard len leo
    lenny; louis lou; luis lucho; ludwig lutz wiggerl; magdalena magda lena leni; malgorzata gosia malgosia;
    manfred manni; manuel manu manolo; margaret maggie meg peggy; margarete grete gretel margit; maria mia marie
    mitzi; martin marty; mateusz mati; matthew matt; matthias matze hias; maximilian max; mehmet memo; mercedes
    merche; michael mike micha michi mick; michal misiek; miguel migue; mohammed mo mohamed muhammad; monika moni;
    mustafa musti; nathaniel nate nat; nicholas nick; nicola nicki; nikolaus klaus niko; oliver oli ollie;
    patricia pat patty trish; patrick pat paddy; peter pete pit; philipp phil; philippe phil; pilar pili; rafael
    rafa; raphael rafael; rebecca becky becca; reinhard reini; richard rick dick rich; robert rob bob bobby bert
    robbie; rodolfo fito; ronald ron ronnie; rosario charo; roswitha rosi; rudolf rudi rolf; salvatore toto;
    samuel sam sammy; samantha sam; sebastian basti seb; siegfried sigi; sophie soph; stefan steffen stef;
    stefanie steffi; stephanie steffi steph; stephen steve; steven steve; susan sue susie; susanne susi sanne;
    tadeusz tadek; theodor theo; theresa resi tess terry; therese resi; thomas tom tommy; timothy tim timmy;
    tobias tobi; tomasz tomek; ulrich uli ulli; ursula uschi ulla; valentin vali; veronika vroni; victoria vicky
    tori; viktor vik; vincent vince; vincenzo enzo; walter walti; wilhelm willi will; william bill will billy
    liam; wojciech wojtek; wolfgang wolf wolfi; yusuf yusufcan jusuf; zachary zach; zofia zosia; zbigniew zbyszek
"""


def _groups() -> Mapping[str, frozenset[str]]:
    groups: defaultdict[str, set[str]] = defaultdict(set)
    for family in _FAMILIES.split(";"):
        names = family.split()
        for name in names:
            groups[name].add(names[0])
    return {name: frozenset(fulls) for name, fulls in groups.items()}


FULL_NAMES: Final = _groups()
"""Of a given name, the full names that it may stand for; of a full name, itself and those it shortens."""


def may_be_one(name: str, other: str) -> bool:
    """Whether one is a short form of the other, or both are of a third."""
    return not FULL_NAMES.get(name, frozenset()).isdisjoint(FULL_NAMES.get(other, frozenset()))
