"""Family names of several countries, the most frequent first, and what the rarer ones are made of."""

# ruff: noqa: RUF001 - letters of several alphabets are the point

from typing import Final

FAMILY: Final[dict[str, str]] = {
    "de": """Müller Schmidt Schneider Fischer Weber Meyer Wagner Becker Schulz Hoffmann Schäfer Koch Bauer Richter
        Klein Wolf Schröder Neumann Schwarz Zimmermann Braun Krüger Hofmann Hartmann Lange Schmitt Werner Schmitz
        Krause Meier Lehmann Schmid Schulze Maier Köhler Herrmann König Walter Mayer Huber Kaiser Fuchs Peters Lang
        Scholz Möller Weiß Jung Hahn Schubert Vogel Friedrich Keller Günther Frank Berger Winkler Roth Beck Lorenz
        Baumann Franke Albrecht Schuster Simon Ludwig Böhm Winter Kraus Martin Schumacher Krämer Vogt Stein Jäger Otto
        Sommer Groß Seidel Heinrich Brandt Haas Schreiber Graf Schulte Dietrich Ziegler Kuhn Kühn Pohl Engel Horn
        Busch Bergmann Thomas Voigt Sauer Arnold Wolff Pfeiffer""",
    "tr": """Yılmaz Kaya Demir Çelik Şahin Yıldız Yıldırım Öztürk Aydın Özdemir Arslan Doğan Kılıç Aslan Çetin Kara
        Koç Kurt Özkan Şimşek Polat Korkmaz Çakır Erdoğan Can Aksoy Güneş Bulut Acar Yavuz Taş Güler Keskin Ünal Turan
        Avcı Işık Karataş Tekin Uçar""",
    "pl": """Nowak Kowalski Wiśniewski Wójcik Kowalczyk Kamiński Lewandowski Zieliński Szymański Woźniak Dąbrowski
        Kozłowski Jankowski Mazur Wojciechowski Kwiatkowski Krawczyk Kaczmarek Piotrowski Grabowski Zając Pawłowski
        Michalski Król Wieczorek Jabłoński Wróbel Nowakowski Majewski Olszewski Stępień Malinowski Jaworski Adamczyk
        Dudek Nowicki""",
    "en": """Smith Jones Williams Taylor Brown Davies Evans Wilson Thomas Johnson Roberts Robinson Thompson Wright
        Walker White Edwards Hughes Green Hall Lewis Harris Clarke Patel Jackson Wood Turner Martin Cooper Hill Ward
        Morris Moore Clark Lee King Baker Harrison Morgan Allen James Scott Phillips Watson Davis Parker Price Bennett
        Young Griffiths Mitchell Kelly Cook Carter Richardson Bailey Collins Bell Shaw Murphy Miller Cox Khan Richards
        Marshall Anderson O'Brien O'Connor McDonald MacDonald Macleod Fitzgerald""",
    "fr": """Martin Bernard Thomas Petit Robert Richard Durand Dubois Moreau Laurent Simon Michel Lefebvre Leroy Roux
        David Bertrand Morel Fournier Girard Bonnet Dupont Lambert Fontaine Rousseau Vincent Muller Lefèvre Faure
        André Mercier Blanc Guérin Boyer Garnier Chevalier François Legrand Gauthier Garcia Perrin Robin Clément Morin
        Nicolas Henry Roussel Mathieu Gautier Masson d'Aubigné De-La-Tour""",
    "es": """García Rodríguez González Fernández López Martínez Sánchez Pérez Gómez Martín Jiménez Ruiz Hernández Díaz
        Moreno Muñoz Álvarez Romero Alonso Gutiérrez Navarro Torres Domínguez Vázquez Ramos Gil Ramírez Serrano Blanco
        Molina Morales Suárez Ortega Delgado Castro Ortiz Rubio Marín Sanz Núñez Iglesias Medina Garrido Cortés""",
    "it": """Rossi Russo Ferrari Esposito Bianchi Romano Colombo Ricci Marino Greco Bruno Gallo Conti De-Luca Mancini
        Costa Giordano Rizzo Lombardi Moretti Barbieri Fontana Santoro Mariani Rinaldi Caruso Ferrara Galli Martini
        Leone Longo Gentile Martinelli Vitale Di-Stefano D'Angelo De-Santis Lo-Russo""",
    "nl": """De-Jong Jansen De-Vries Van-den-Berg Van-Dijk Bakker Janssen Visser Smit Meijer De-Boer Mulder De-Groot
        Bos Vos Peters Hendriks Van-Leeuwen Dekker Brouwer De-Wit Dijkstra Smits De-Graaf Van-der-Meer Van-der-Linden
        Kok Jacobs De-Haan Vermeulen Van-den-Heuvel Van-der-Veen Van-den-Broek Schouten""",
    "se": """Andersson Johansson Karlsson Nilsson Eriksson Larsson Olsson Persson Svensson Gustafsson Pettersson
        Jonsson Jansson Hansson Bengtsson Jönsson Lindberg Jakobsson Magnusson Olofsson Lindström Lindqvist Lindgren
        Axelsson Berg Bergström Lundberg Lind Lundgren Lundqvist Mattsson Berglund Fredriksson Sandberg Henriksson
        Forsberg Sjöberg Hansen Jørgensen Sørensen Åkesson Håkansson Nyström""",
    "vn": """Nguyễn Trần Lê Phạm Hoàng Huỳnh Phan Vũ Võ Đặng Bùi Đỗ Hồ Ngô Dương Lý""",
    "ar": """Al-Masri Hassan Ahmed Ali Al-Sayed Ibrahim Khalil Haddad Khoury Mansour Saleh Nasser El-Amrani Benali
        Bouzid Abdallah Al-Hashimi Al-Najjar Darwish Farah Hamdan Issa Jaber Othman Qasim Rahman Sabbagh Shaheen Taha
        Zidan""",
}
"""By country; the words apart from each other by spaces, those of one name by hyphens."""

STEMS: Final[dict[str, tuple[str, str]]] = {
    "de": (
        """Ach Al Am Ban Bart Bert Birk Blum Born Bran Breit Brem Brück Buch Burg Dam Diet Dorn Dres Ebers Eck Eich
        Eisen Emm Erl Fahr Fal Fels Fein Frei Gar Geis Ger Glas Gold Greb Grün Gut Hag Ham Hart Has Heil Heim Held
        Hell Hil Hirsch Hol Hup Im Jan Kal Kamp Kern Kess Kirch Klam Kling Klop Knap Kol Kram Kreb Kron Küm Lam Lehn
        Leim Lich Lin Löff Lud Mar Mehl Mit Mol Mühl Nag Neu Nies Nord Ober Olt Ost Pap Pfis Plank Rab Ram Rei Rein
        Ris Rös Rot Sach Schaf Schel Schil Schlos Schön Schwan Seif Sie Silb Spiel Stad Stein Stroh Tan Thal Trau Uhl
        Unter Wal Wass Weid Wer Wies Wil Win Zell Zim""",
        "er mann bach berg bauer feld hardt heim inger ke ler mayer meier ner rich ring sch stein thaler wald wig",
    ),
    "tr": (
        """Ak Al Ar Ata Ay Bal Baş Bay Boz Can Çam Dağ Deniz Dur Eker Er Gök Gül Güm Kaba Kal Kara Koca Kork Kut
        Oğuz Öz Sarı Sön Taş Tez Top Tun Uğur Ulu Var Yağ Yal Yüce""",
        "oğlu can soy türk han taş demir dağ gil kaya er ol bey el man baş su tekin",
    ),
    "pl": (
        """Adam Bar Bed Bog Bor Brzoz Chm Czar Dom Drozd Fil Gaj Gaw Gór Gral Jag Jar Kal Kas Kos Krup Kub Lip Lis
        Mac Mal Mar Mie Mil Now Ol Osta Pac Paw Pie Rad Rog Rud Sad Sik Sob Star Stras Szcz Szewc Tom Urb Wal
        Wil Wit Zal Zar Żuk""",
        "ak owski iński ewicz czyk ek icki owicz alski ik iak ecki",
    ),
    "en": (
        """Ash Bar Beck Black Brad Bram Bright Brook Bur Chad Clay Clif Cran Crof Dal Den Dray East Ell Fair Far Ford
        Gar Glad Gran Had Hal Har Haw Hol Hux Kem Kirk Lang Lin Lock Long Lyn Mans Mars Mel Mid Nor Oak Old Pem Pres
        Rad Rams Red Rock Rown Sand Shel Sher Stan Stock Sut Thorn Tre Wal Ware West Whit Win Wood Yar""",
        "ton ford ley ham by well wood worth field bury den ridge stone more land man son smith shaw wick",
    ),
    "fr": (
        """Al Am Bar Beau Bel Ber Bois Bou Bour Bro Cas Cha Char Clo Cou Cro Del Des Dou Du Fau Fer Fon Fro Gal Gau
        Gil God Gro Gui Hou Jac Jol Lab Lac Lar Leb Lem Mal Man Mar Mau Mon Mou Nau Pas Pel Per Pou Ra Re Ri Rou Sau
        Ser Tar Thi Val Ver Vil""",
        "ard eau et ier in ot el ois ault aud on and eux lier mont ville zac",
    ),
    "es": (
        """Aba Agui Alar Arri Ava Bae Balles Barri Bena Bus Caba Calde Carra Casta Cerve Dela Esco Espi Este Fuen
        Galle Gue Herre Igle Labra Lara Mace Male Manri Mora Nava Ola Pala Pare Pine Quin Rebo Rio Robl Sala
        Santa Sego Soto Tala Vala Vera Villa Zamo Zapa""",
        "ño rro do na ra les llo ga nte rra ndo bal z s rez lba nza co da l",
    ),
    "it": (
        """Ama Ba Bel Ben Ber Boni Bor Cal Can Cap Car Cas Ce Col Cor Dam Del Don Fab Fal Far Fio Fra Gal Gam Ger
        Gra Gua Lam Laz Lom Mac Mal Man Mar Maz Mon Mor Nap Ol Pac Pal Pan Pel Pic Pol Por Ran Ros Sal San Ser
        Sor Tar Tom Val Ven Ver Vil Zan""",
        "elli etti ini one ucci aro ato azzi ese ino olo oni ari era isi accio",
    ),
    "nl": (
        """Ak Al Am Beek Berk Bloem Boer Bol Bran Brug Dam Dijk Doorn Eik Gel Goed Groen Haar Heem Hof Hout Kamp
        Kerk Klein Kool Kuip Laan Lin Maas Meer Mole Nieu Oost Oude Pol Rijn Ros Schip Slot Steen Tim Veld Ver
        Vliet Water West Wijn Wil Zand Zee""",
        "ma stra man ink ing huis horst kamp broek veld dam mans steeg berg sen",
    ),
    "se": (
        """Al As Ber Björk Bo Borg Broman Dahl Ed Ek Eng Fagg Fors Fri Gran Grön Hag Hall Hed Hell Hjalm Holm Kjell
        Kull Lind Ljung Lund Löv Mal Nor Ny Ros Ryd Sand Sjö Skog Sten Stål Sund Söder Thor Tör Väster Wall
        Wester Wik Åker Öst""",
        "ström gren qvist berg lund mark man dal stedt in ander vall blad löf blom kvist rud",
    ),
    "ar": (
        """Ab Am Bar Ben Bou Da Fa Gha Ha Haj Ham Ja Ka Kar Kha La Ma Mak Mou Mur Na Nad Qa Ra Rah Sa Sal Sha Su Ta
        Tan Ya Za Zar""",
        "awi ani bi dan di far hid i id idi im in ir kir mi ni nnan ouri ri shi tar yan zi",
    ),
}
"""By country: beginnings, and endings."""
