"""The simulated shop's vocabulary: departments, nouns, finishes, colours, brands. Plain tables.

Prices are typical for such goods in euro; nouns come in English and German.
"""

from __future__ import annotations

from typing import NamedTuple


class Shelf(NamedTuple):
    """A leaf of the category tree."""

    name: str
    price: float
    """Median price, euro."""
    nouns: tuple[tuple[str, str], ...]
    """(English, German)."""


class Department(NamedTuple):
    """A branch of the category tree."""

    name: str
    shelves: tuple[Shelf, ...]


DEPARTMENTS: tuple[Department, ...] = (
    Department("Women", (
        Shelf("Dresses", 59, (("wrap dress", "Wickelkleid"), ("shirt dress", "Hemdkleid"),
                              ("midi dress", "Midikleid"))),
        Shelf("Shoes", 79, (("ankle boots", "Stiefeletten"), ("loafers", "Slipper"),
                            ("sandals", "Sandalen"))),
        Shelf("Bags", 69, (("tote bag", "Shopper"), ("shoulder bag", "Schultertasche"),
                           ("clutch", "Abendtasche"))),
        Shelf("Knitwear", 54, (("cardigan", "Strickjacke"), ("jumper", "Pullover"),
                               ("scarf", "Schal"))),
    )),
    Department("Men", (
        Shelf("Shirts", 45, (("Oxford shirt", "Oxfordhemd"), ("polo shirt", "Poloshirt"),
                             ("flannel shirt", "Flanellhemd"))),
        Shelf("Shoes", 89, (("derby shoes", "Derbyschuhe"), ("trainers", "Turnschuhe"),
                            ("Chelsea boots", "Chelsea-Boots"))),
        Shelf("Jackets", 119, (("rain jacket", "Regenjacke"), ("bomber jacket", "Bomberjacke"),
                               ("parka", "Parka"))),
        Shelf("Trousers", 55, (("chinos", "Chinos"), ("jeans", "Jeans"), ("shorts", "Shorts"))),
    )),
    Department("Home", (
        Shelf("Lighting", 49, (("table lamp", "Tischleuchte"), ("pendant light", "Pendelleuchte"),
                               ("lantern", "Laterne"))),
        Shelf("Textiles", 29, (("cushion cover", "Kissenhülle"), ("throw", "Wohndecke"),
                               ("bath towel", "Badetuch"))),
        Shelf("Decoration", 19, (("vase", "Vase"), ("picture frame", "Bilderrahmen"),
                                 ("candle holder", "Kerzenhalter"))),
        Shelf("Storage", 24, (("storage basket", "Aufbewahrungskorb"), ("wall shelf", "Wandregal"),
                              ("coat rack", "Garderobe"))),
    )),
    Department("Kitchen", (
        Shelf("Cookware", 39, (("frying pan", "Bratpfanne"), ("casserole", "Schmortopf"),
                               ("saucepan", "Stieltopf"))),
        Shelf("Coffee and Tea", 27, (("teapot", "Teekanne"), ("coffee grinder", "Kaffeemühle"),
                                     ("mug set", "Becher-Set"))),
        Shelf("Tableware", 22, (("dinner plates", "Speiseteller"), ("bowl set", "Schalen-Set"),
                                ("wine glasses", "Weingläser"))),
        Shelf("Baking", 16, (("cake tin", "Springform"), ("mixing bowl", "Rührschüssel"),
                             ("rolling pin", "Nudelholz"))),
    )),
    Department("Garden", (
        Shelf("Tools", 26, (("pruning shears", "Gartenschere"), ("hand trowel", "Handschaufel"),
                            ("watering can", "Gießkanne"))),
        Shelf("Planters", 21, (("plant pot", "Blumentopf"), ("window box", "Balkonkasten"),
                               ("hanging basket", "Blumenampel"))),
        Shelf("Furniture", 149, (("folding chair", "Klappstuhl"), ("garden bench", "Gartenbank"),
                                 ("bistro table", "Bistrotisch"))),
        Shelf("Barbecue", 99, (("charcoal grill", "Holzkohlegrill"), ("fire bowl", "Feuerschale"),
                               ("grill tongs", "Grillzange"))),
    )),
    Department("Electronics", (
        Shelf("Headphones", 89, (("headphones", "Kopfhörer"), ("earbuds", "Ohrhörer"),
                                 ("gaming headset", "Gaming-Headset"))),
        Shelf("Speakers", 109, (("speaker", "Lautsprecher"), ("radio", "Radio"),
                                ("soundbar", "Soundbar"))),
        Shelf("Chargers", 25, (("charging stand", "Ladeständer"), ("power bank", "Powerbank"),
                               ("travel adapter", "Reiseadapter"))),
        Shelf("Wearables", 129, (("smart watch", "Smartwatch"), ("fitness band", "Fitnessband"),
                                 ("watch strap", "Uhrenarmband"))),
    )),
    Department("Sports", (
        Shelf("Running", 75, (("running shoes", "Laufschuhe"), ("running tights", "Lauftights"),
                              ("head torch", "Stirnlampe"))),
        Shelf("Cycling", 48, (("cycle helmet", "Fahrradhelm"), ("bike light", "Fahrradlicht"),
                              ("pannier", "Packtasche"))),
        Shelf("Yoga", 34, (("yoga mat", "Yogamatte"), ("yoga block", "Yogablock"),
                           ("foam roller", "Faszienrolle"))),
        Shelf("Outdoor", 84, (("rucksack", "Rucksack"), ("sleeping bag", "Schlafsack"),
                              ("camping stove", "Campingkocher"))),
    )),
    Department("Kids", (
        Shelf("Toys", 23, (("building blocks", "Bauklötze"), ("wooden train", "Holzeisenbahn"),
                           ("puzzle", "Puzzle"))),
        Shelf("Books", 13, (("picture book", "Bilderbuch"), ("colouring book", "Malbuch"),
                            ("story collection", "Geschichtenbuch"))),
        Shelf("Clothing", 25, (("dungarees", "Latzhose"), ("raincoat", "Regenmantel"),
                               ("pyjamas", "Schlafanzug"))),
        Shelf("School", 32, (("school bag", "Schulranzen"), ("pencil case", "Federmäppchen"),
                             ("lunch box", "Brotdose"))),
    )),
)  # fmt: skip

FINISHES: tuple[tuple[str, str], ...] = (
    ("handmade", "handgemacht"),
    ("recycled", "recycelt"),
    ("lightweight", "leicht"),
    ("vintage", "im Retrostil"),
    ("everyday", "für jeden Tag"),
    ("limited edition", "limitierte Auflage"),
    ("organic", "in Bioqualität"),
    ("compact", "kompakt"),
    ("hand-finished", "von Hand vollendet"),
    ("classic", "klassisch"),
)
"""(English, German); both languages can set these beside any noun without inflection."""

COLOURS: tuple[tuple[str, str, int], ...] = (
    ("brick red", "ziegelrot", 8),
    ("apricot", "aprikose", 28),
    ("mustard", "senfgelb", 48),
    ("olive", "oliv", 75),
    ("moss green", "moosgrün", 110),
    ("sage", "salbei", 140),
    ("teal", "petrol", 180),
    ("sky blue", "himmelblau", 205),
    ("navy", "marineblau", 228),
    ("lavender", "lavendel", 262),
    ("plum", "pflaume", 300),
    ("rose", "rosé", 340),
)
"""(English, German, hue in degrees)."""

BRANDS: tuple[str, ...] = (
    "Alderway", "Brindle & Co", "Castellan", "Dovecote", "Elmstead", "Fjordly", "Greyhaven",
    "Hollin", "Ilmare", "Juniper Row", "Kestrel", "Larkspur", "Morwenna", "Nordhall", "Oakfold",
    "Pellow", "Quayside", "Redstart", "Saltmarsh", "Tove & Finn", "Umberto", "Velden",
    "Wrenfield", "Yarrow",
)  # fmt: skip
"""Invented; any likeness is chance."""

SELLERS: tuple[str, ...] = (
    "harbour-trading", "mill-lane", "north-depot", "old-town-goods", "parcel-and-twine",
    "riverside", "station-yard", "the-storehouse", "tin-roof", "west-quay",
)  # fmt: skip

TAGS: tuple[str, ...] = ("gift", "sale", "vegan", "made in Europe", "bundle")
"""Merchants' labels: they say nothing about an item's appeal."""
