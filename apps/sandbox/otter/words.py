"""The vocabulary of the simulated catalogues: what each kind of shop sells."""

STYLES = {
    "hats": [
        ("BEA", "Beanie", 1900), ("FED", "Fedora", 6400), ("CAP", "Baseball Cap", 2400),
        ("BUC", "Bucket Hat", 2900), ("FLA", "Flat Cap", 4200), ("BER", "Beret", 3100),
        ("PAN", "Panama Hat", 8900), ("CLO", "Cloche", 5500), ("BOW", "Bowler Hat", 7900),
        ("TRA", "Trapper Hat", 5900), ("SUN", "Sun Hat", 3300), ("TRI", "Trilby", 4800),
],
    "shoes": [
        ("SNE", "Sneaker", 7900), ("LOA", "Loafer", 9500), ("CHE", "Chelsea Boot", 13900),
        ("DER", "Derby", 12500), ("HIK", "Hiking Boot", 15900), ("SAN", "Sandal", 5400),
        ("BAL", "Ballerina", 6900), ("RUN", "Runner", 11900), ("MOC", "Moccasin", 8800),
        ("ESP", "Espadrille", 3900), ("OXF", "Oxford", 14200), ("CLG", "Clog", 4900),
],
    "gloves": [
        ("MIT", "Mittens", 2700), ("DRI", "Driving Gloves", 6900), ("SKI", "Ski Gloves", 7400),
        ("WOR", "Work Gloves", 1500), ("CYC", "Cycling Gloves", 3400), ("GAR", "Gardening Gloves", 1200),
        ("OPE", "Opera Gloves", 4900), ("TOU", "Touchscreen Gloves", 2200), ("BOX", "Boxing Gloves", 5600),
        ("LIN", "Liner Gloves", 1800),
],
}  # fmt: skip
SIZES = {
    "hats": ["S", "M", "L", "XL", "One Size"],
    "shoes": ["36", "37", "38", "39", "40", "41", "42", "43", "44", "45", "46"],
    "gloves": ["6.5", "7", "7.5", "8", "8.5", "9", "10"],
}
MATERIALS = {
    "hats": ["Wool", "Cotton", "Straw", "Felt", "Corduroy", "Linen", "Tweed", "Recycled Polyester"],
    "shoes": ["Leather", "Suede", "Canvas", "Nubuck", "Mesh", "Cork", "Rubber", "Vegan Leather"],
    "gloves": ["Lambskin", "Merino", "Fleece", "Deerskin", "Nylon", "Silk", "Cashmere", "Kevlar"],
}
COLOURS = [
    ("CHR", "Charcoal"), ("NAV", "Navy"), ("OLV", "Olive"), ("CRM", "Cream"), ("RUS", "Rust"),
    ("BLK", "Black"), ("SND", "Sand"), ("BRG", "Burgundy"), ("SKY", "Sky Blue"), ("FOR", "Forest Green"),
    ("MUS", "Mustard"), ("PLM", "Plum"), ("TEA", "Teal"), ("IVR", "Ivory"), ("COG", "Cognac"),
    ("SLT", "Slate"),
]  # fmt: skip
LINES = [
    "Classic",
    "Harbour",
    "Alpine",
    "Atelier",
    "Everyday",
    "Heritage",
    "Nordic",
    "Studio",
    "Trail",
    "Weekend",
]

# Names that break careless code; each catalogue of 40 products or more has all of them.
EDGY_NAMES = [
    "Käpt'n Müßiggang — Größe über alles",
    'The 5" "Quoted" Brim & Co. <Limited>',
    "🎩✨ Party 👨‍👩‍👧‍👦 Edition",
    "قبعة صوف شتوية",
    "羊毛の帽子・手編み",
    "<script>alert('hat')</script>",
    "Robert'); DROP TABLE products;--",
    "  Spaces   inside and around  ",
    "NULL",
    "0",
    "Très chère édition spéciale, numérotée, signée — " + "vraiment " * 20 + "longue",
    '=HYPERLINK("http://example.com";"cheap")',
]
STREETS = [
    "Harbour Street",
    "Market Lane",
    "Station Road",
    "Mill Street",
    "Church Walk",
    "King's Parade",
    "Dock Road",
]
TOWNS = [
    ("Bristol", "BS1 4ST", "GB"), ("Ghent", "9000", "BE"), ("Utrecht", "3511 LN", "NL"),
    ("Leipzig", "04109", "DE"), ("Lyon", "69002", "FR"), ("Malmö", "211 22", "SE"),
    ("Porto", "4050-014", "PT"), ("Graz", "8010", "AT"),
]  # fmt: skip
