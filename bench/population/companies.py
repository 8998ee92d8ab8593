"""What names of companies are made of."""

from typing import Final

FORMS: Final = (
    *("GmbH",) * 12, *("GmbH & Co. KG",) * 4, "AG", "AG", "e.K.", "e.K.", "UG (haftungsbeschränkt)", "UG", "GbR",
    "KG", "OHG", "e.V.", "Ltd", "Limited", "Ltd.", "LLC", "Inc.", "S.A.", "SARL", "S.à r.l.", "B.V.", "N.V.", "Oy",
    "AB", "A/S", "S.p.A.", "S.r.l.", "Sp. z o.o.", "S.L.", "SE", "plc", "",
)  # fmt: skip
TRADES: Final = (
    "Logistik", "Bau", "Elektro", "Immobilien", "Gastronomie", "Technik", "Handel", "Software", "Consulting",
    "Transport", "Metallbau", "Gartenbau", "Bäckerei", "Apotheke", "Autohaus", "Reisen", "Versicherungen", "Druck",
    "Möbel", "Werbung", "Solutions", "Services", "Systems", "Engineering", "Media", "Pharma", "Energie", "Solar",
    "Pflege", "Spedition", "Maler", "Sanitär", "Heizung", "Dachdecker", "Physiotherapie", "Zahnarztpraxis",
    "Steuerberatung", "Rechtsanwälte", "Architekten", "Hotel", "Holding", "Verwaltung", "Group", "International",
    "Marketing", "Textil", "Optik", "Fitness", "Schule", "Verein",
)  # fmt: skip
PLACES: Final = (
    "Nord", "Süd", "West", "Ost", "Rhein", "Main", "Elbe", "Alpen", "Berg", "Wald", "See", "Stein", "Sonnen", "Stern",
    "Adler", "Falken", "Linden", "Eichen", "Rosen", "Gold", "Silber", "Blau", "Grün", "Neu", "Alt", "Ober", "Unter",
    "Hanse", "Euro", "Omni", "Inno", "Pro", "Vita", "Terra", "Aqua", "Luma", "Nova", "Opti", "Kern", "Brücken",
    "Hafen", "Markt", "Schloss",
)  # fmt: skip
