"""Words in names that say what somebody is, not who: legal forms, titles, particles. All folded."""

# ruff: noqa: RUF001 - letters of several alphabets are the point

from typing import Final


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


LEGAL_FORMS: Final = _set(
    """
    ab ad ae ag ans aps as asa ay bhd bt bv bvba ca coltd cie co comandita company compagnie corp corporation cv cvba
    da dd doo dooel dv ead ehf eg ek ekfm ekfr eood ev eirl epe eurl gbr gesmbh ggmbh gie gmbh gmbhco hb hf inc
    incorporated ik ike is ivs jsc kb kd kda kft kg kgaa kk kkt kollektif ks ky lda limitada limited llc lllp llp lp
    ltd ltda mbb mbh mchj nv nyrt oao ob oe og ohg oks ood ooo ou oy oyj pao partg partgmbb pc pjsc plc pllc private
    pt pte pty publ pvt pvtltd qk rl rt sa sab sac sae saoc saog sapi sapa sarl sarlu sas sasu sca sccl scop scs sdn
    sdnbhd se secs sha sia sicav sl sll slne slu smba snc soe spa spj spk spolsro spolka sprl spzoo spzook srl srls
    sro ss sti stg tbk tov tov uab ug ultd unlimited unltd vof vos vzw wll yk zao zoo zrt zat aktiengesellschaft
    aktiebolag
    """
) | frozenset(
    {"anonimsirketi", "limitedsirketi", "haftungsbeschrankt", "ughaftungsbeschrankt", "desarl", "sdecv", "sadecv"}
    | {"srldecv", "sdrlcv", "sderl", "sderldecv", "sencec", "senc", "gmbhcokg", "eingetragenerverein", "oaktiebolag"}
    | {"акционерноеобщество", "ооо", "оао", "зао", "пао", "ао", "тов", "αε", "επε", "ικε", "株式会社", "有限公司"}
)
"""Written as one word: of `S. à r.l.` remains `sarl`. The forms are those of ISO 20275 (entity legal forms)."""

LEADING_FORMS: Final = _set("ab as ooo oao zao pao oy pt sc sia uab ооо оао зао пао ао тов 株式会社")
"""Forms that some countries write before the name."""

NAMES_TOO: Final = _set(
    """
    ab ad ae ag as ay bt ca co cv da dd ek ev is ik kb kd ks kk ky lp ob oe og ou pc pt private rl rt sa se sha sl ss
    """
)
"""Legal forms that are also somebody's name (Sá, Ek, Co, Da): they may be what was searched for."""

TITLES: Final = _set(
    """
    dr prof professor doktor doctor mr mrs ms miss sir dame herr frau mme mlle monsieur madame dott dra sra
    """
)
"""Titles and forms of address that come before a name."""

PARTICLES: Final = _set(
    """
    af al am an auf aus av bin bint d da dal dalla das de degli dei del della den der des di do dos du e el ibn i la
    las le les lo los of op san santa sao st t te ten ter the to und van vom von y zu zum zur and et und och og
    """
)
"""Words within a name that most people leave out or write in one with the next."""

GENERATIONS: Final = {
    **dict.fromkeys(("sr", "senior", "sen", "pere", "i"), 1),
    **dict.fromkeys(("jr", "junior", "jun", "jnr", "fils", "ii", "filho"), 2),
    **dict.fromkeys(("iii", "neto"), 3),
}
"""Suffixes that tell a parent from a child of the same name."""
