"""The words of the phrase book: tables of nouns, adjectives, verbs, places and times.

Every English word or phrase has one German counterpart. The tags after the colon are the semantic
classes by which the templates choose words that make sense together.
"""

from dataclasses import dataclass

from . import english, german
from .text import table


@dataclass(frozen=True, slots=True)
class Noun:
    """A noun in both languages.

    Attributes:
        en: The English singular (the plural for nouns without a singular).
        en_plural: The English plural.
        de: The German noun.
        tags: Its semantic classes.
    """

    en: str
    en_plural: str
    de: german.Noun
    tags: tuple[str, ...]

    @property
    def plural_only(self) -> bool:
        """Whether the noun has no singular ("parents")."""
        return self.de.gender == "p"

    @property
    def countable(self) -> bool:
        """Whether the singular takes an indefinite article."""
        return bool(self.de.plural)

    @property
    def human(self) -> bool:
        """Whether the noun names a person."""
        return "human" in self.tags


@dataclass(frozen=True, slots=True)
class Adjective:
    """An adjective in both languages.

    Attributes:
        en: The English form.
        de: The German form as a predicate.
        stem: The German form before an ending.
        more: English and German comparative.
        most: English and German superlative (stem).
        tags: Its semantic classes.
    """

    en: str
    de: str
    stem: str
    more: tuple[str, str] = ("", "")
    most: tuple[str, str] = ("", "")
    tags: tuple[str, ...] = ()

    @property
    def comparative(self) -> "Adjective":
        """The comparative as an adjective of its own."""
        return Adjective(self.more[0], self.more[1], self.more[1])

    @property
    def superlative(self) -> "Adjective":
        """The superlative as an adjective of its own."""
        return Adjective(self.most[0], self.most[1], self.most[1])


@dataclass(frozen=True, slots=True)
class Verb:
    """A verb in both languages.

    Attributes:
        en: The English verb.
        de: The German verb.
        preposition: The German preposition before its object, else empty.
        case: The case of its German object.
    """

    en: english.Verb
    de: german.Verb
    preposition: str = ""
    case: german.Case = german.Case.ACC


_GENDERS = {"der": "m", "die": "f", "das": "n", "pl": "p"}


def _rows(table: str):
    """Yield (left of "=", right of "=", tags) for each line of a table."""
    for line in table.strip().splitlines():
        words, _, tags = line.partition(":")
        left, _, right = words.partition("=")
        yield left.strip(), right.strip(), tuple(tags.split())


def _noun(en: str, de: str, tags: tuple[str, ...]) -> Noun:
    en, _, en_plural = en.partition("/")
    article, _, forms = de.partition(" ")
    singular, plural, oblique = (*forms.split(", "), "", "")[:3]
    gender = _GENDERS[article]
    en_plural = en if gender == "p" else en_plural or english.plural(en)
    return Noun(en, en_plural, german.Noun(singular, plural, gender, oblique), tags)


def _adjective(en: str, de: str, tags: tuple[str, ...]) -> Adjective:
    en_forms = (*(form.strip() for form in en.split(",")), "", "")
    de_forms = (*(form.strip() for form in de.split(",")), "", "")
    base, _, stem = de_forms[0].partition("/")
    more, most = zip(en_forms[1:3], de_forms[1:3])
    return Adjective(en_forms[0], base, stem or base, more, most, tags)


def _verb(en: str, de: str) -> tuple[str, Verb]:
    key, _, parts = en.rpartition(">")
    de, _, government = de.partition("+")
    *preposition, case = government.split() or ["ACC"]
    verb = english.Verb.parse(parts.strip())
    key = key.strip() or f"{verb.base} {verb.particle}".strip()
    return key, Verb(verb, german.Verb.parse(de), "".join(preposition), german.Case[case])


# English[/plural] = article singular, plural[, accusative and dative of a weak noun] : tags
_NOUNS = """
shower = die Dusche, Duschen : machine washable with
lamp = die Lampe, Lampen : machine breakable switch
heating = die Heizung : machine switch
air conditioning = die Klimaanlage : machine switch with
TV = der Fernseher, Fernseher : machine breakable switch with
fridge = der Kühlschrank, Kühlschränke : machine washable with
hairdryer = der Föhn, Föhne : machine breakable
toilet = die Toilette, Toiletten : washable
bathtub = die Badewanne, Badewannen : washable with
carpet = der Teppich, Teppiche : washable
balcony = der Balkon, Balkone : washable with
window = das Fenster, Fenster : breakable washable
door = die Tür, Türen : breakable
chair = der Stuhl, Stühle : breakable on
bed = das Bett, Betten : breakable on under
room = das Zimmer, Zimmer : quarters
single room = das Einzelzimmer, Einzelzimmer : quarters
double room = das Doppelzimmer, Doppelzimmer : quarters
towel = das Handtuch, Handtücher : supply
blanket = die Decke, Decken : supply
pillow = das Kissen, Kissen : supply
key = der Schlüssel, Schlüssel : own lie small_thing
fork = die Gabel, Gabeln : cutlery supply
spoon = der Löffel, Löffel : cutlery supply
knife/knives = das Messer, Messer : cutlery supply
plate = der Teller, Teller : cutlery supply
cup = die Tasse, Tassen : cutlery supply
glass = das Glas, Gläser : cutlery supply
bottle = die Flasche, Flaschen
bill = die Rechnung, Rechnungen
form = das Formular, Formulare
table = der Tisch, Tische : on under
shelf/shelves = das Regal, Regale : on
wardrobe = der Schrank, Schränke : in
drawer = die Schublade, Schubladen : in
sofa = das Sofa, Sofas : on under
salad = der Salat, Salate : dish food
soup = die Suppe, Suppen : dish food hot
pizza = die Pizza, Pizzas : dish food hot
steak = das Steak, Steaks : dish food hot
omelette = das Omelett, Omeletts : dish food hot
pancake = der Pfannkuchen, Pfannkuchen : dish food hot
sausage = die Wurst, Würste : dish food hot
sandwich = das Sandwich, Sandwiches : dish food
cake = der Kuchen, Kuchen : food
fish = der Fisch : food hot meal
chicken = das Hähnchen : food hot meal
rice = der Reis : food meal
bread = das Brot : food meal
cheese = der Käse : meal
yoghurt = der Joghurt : meal
butter = die Butter
ham = der Schinken : meal
honey = der Honig
jam = die Marmelade
meat = das Fleisch : meal
sauce = die Soße, Soßen : food
sugar = der Zucker
milk = die Milch : drink chilled
egg = das Ei, Eier : many
nut = die Nuss, Nüsse : many
onion = die Zwiebel, Zwiebeln : many kilo
tomato/tomatoes = die Tomate, Tomaten : many kilo
mushroom = der Pilz, Pilze : many kilo
potato/potatoes = die Kartoffel, Kartoffeln : many kilo
apple = der Apfel, Äpfel : many kilo
orange = die Orange, Orangen : many kilo
banana = die Banane, Bananen : many kilo
pear = die Birne, Birnen : many kilo
carrot = die Karotte, Karotten : many kilo
strawberry = die Erdbeere, Erdbeeren : many kilo
lemon = die Zitrone, Zitronen : many kilo
cucumber = die Gurke, Gurken : many kilo
plum = die Pflaume, Pflaumen : many kilo
coffee = der Kaffee : drink cup
tea = der Tee : drink cup
water = das Wasser : drink bottle glass chilled
beer = das Bier : drink bottle glass chilled
red wine = der Rotwein : drink bottle glass
white wine = der Weißwein : drink bottle glass chilled
apple juice = der Apfelsaft : drink bottle glass chilled
lemonade = die Limonade : drink bottle glass chilled
jacket = die Jacke, Jacken : clothes gift own lie
coat = der Mantel, Mäntel : clothes gift own lie
shirt = das Hemd, Hemden : clothes gift
dress = das Kleid, Kleider : clothes gift lady
skirt = der Rock, Röcke : clothes gift lady
sweater = der Pullover, Pullover : clothes gift own lie
blouse = die Bluse, Blusen : clothes gift lady
hat = der Hut, Hüte : clothes gift own lie
scarf/scarves = der Schal, Schals : clothes gift own lie
belt = der Gürtel, Gürtel : clothes gift
T-shirt = das T-Shirt, T-Shirts : clothes gift
suitcase = der Koffer, Koffer : luggage own buy stand
bag = die Tasche, Taschen : luggage own buy stand gift
backpack = der Rucksack, Rucksäcke : luggage own buy stand
umbrella = der Regenschirm, Regenschirme : own buy lie
phone = das Handy, Handys : own buy lie small_thing
camera = die Kamera, Kameras : own buy lie gift
wallet = der Geldbeutel, Geldbeutel : own buy lie small_thing
passport = der Reisepass, Reisepässe : own lie small_thing
credit card = die Kreditkarte, Kreditkarten : own lie small_thing
watch = die Uhr, Uhren : own buy lie gift small_thing
book = das Buch, Bücher : own buy lie gift read
ring = der Ring, Ringe : gift small_thing
city map = der Stadtplan, Stadtpläne : buy lie
toothbrush = die Zahnbürste, Zahnbürsten : own buy lie
comb = der Kamm, Kämme : own buy lie
charger = das Ladegerät, Ladegeräte : own buy lie
laptop = der Laptop, Laptops : own buy lie gift
diary = das Tagebuch, Tagebücher : own buy lie
newspaper = die Zeitung, Zeitungen : read lie
letter = der Brief, Briefe : mail
package = das Paket, Pakete : mail
postcard = die Postkarte, Postkarten : mail
train ticket = die Fahrkarte, Fahrkarten : own lie small_thing
museum = das Museum, Museen : place inside sight building shuts to_in outing
castle = das Schloss, Schlösser : place inside sight building
cathedral = der Dom, Dome : place inside sight building old_building
church = die Kirche, Kirchen : place inside sight building old_building
tower = der Turm, Türme : place sight building old_building
old town = die Altstadt : place sight area to_in
harbour = der Hafen, Häfen : place sight area
zoo = der Zoo, Zoos : place inside sight to_in outing
gallery = die Galerie, Galerien : place inside sight building shuts
monastery = das Kloster, Klöster : place inside sight building old_building
market = der Markt, Märkte : place area to_auf outing
park = der Park, Parks : place area to_in outing
beach = der Strand, Strände : place area to_an outing
lake = der See, Seen : place area to_an outing
station = der Bahnhof, Bahnhöfe : place building
airport = der Flughafen, Flughäfen : place
town hall = das Rathaus, Rathäuser : place building old_building
theatre = das Theater, Theater : place inside building to_in outing
cinema = das Kino, Kinos : place inside building to_in outing
restaurant = das Restaurant, Restaurants : place inside building near to_in outing
café = das Café, Cafés : place inside building near to_in outing
hotel = das Hotel, Hotels : place inside building
library = die Bibliothek, Bibliotheken : place inside building shuts to_in
university = die Universität, Universitäten : place building
hospital = das Krankenhaus, Krankenhäuser : place inside building
swimming pool = das Schwimmbad, Schwimmbäder : place inside shuts to_in
bank = die Bank, Banken : place building shuts near
post office = die Post : place building shuts
pharmacy = die Apotheke, Apotheken : place building shuts near
supermarket = der Supermarkt, Supermärkte : place inside building shuts near to_in
bakery = die Bäckerei, Bäckereien : place building shuts near
bookshop = die Buchhandlung, Buchhandlungen : place building shuts near
tourist office = die Touristeninformation : place building shuts
bus stop = die Bushaltestelle, Bushaltestellen : place near
car park = der Parkplatz, Parkplätze : place near
kiosk = der Kiosk, Kioske : place near
playground = der Spielplatz, Spielplätze : place near
stadium = das Stadion, Stadien : place building
embassy = die Botschaft, Botschaften : place building shuts
bridge = die Brücke, Brücken : old_building
square = der Platz, Plätze
street = die Straße, Straßen
train = der Zug, Züge : vehicle public
bus = der Bus, Busse : vehicle public boarding local
tram = die Straßenbahn, Straßenbahnen : vehicle boarding local
underground = die U-Bahn : vehicle local
taxi = das Taxi, Taxis : vehicle
ferry = die Fähre, Fähren : public
car = das Auto, Autos : vehicle rental
bike = das Fahrrad, Fahrräder : rental
boat = das Boot, Boote : rental
plane = das Flugzeug, Flugzeuge
brother = der Bruder, Brüder : relative human
sister = die Schwester, Schwestern : relative human
mother = die Mutter, Mütter : relative human
father = der Vater, Väter : relative human
son = der Sohn, Söhne : relative human
daughter = die Tochter, Töchter : relative human
uncle = der Onkel, Onkel : relative human
aunt = die Tante, Tanten : relative human
grandmother = die Großmutter, Großmütter : relative human
grandfather = der Großvater, Großväter : relative human
cousin = der Cousin, Cousins : relative human
niece = die Nichte, Nichten : relative human
nephew = der Neffe, Neffen, Neffen : relative human
friend = der Freund, Freunde : relative human
colleague = der Kollege, Kollegen, Kollegen : relative human
neighbour = der Nachbar, Nachbarn, Nachbarn : relative human
parents = pl Eltern : human
friends = pl Freunde : human
wife/wives = die Frau, Frauen : human
husband = der Mann, Männer : human
waiter = der Kellner, Kellner : staff human
driver = der Fahrer, Fahrer : staff human
guide = der Reiseleiter, Reiseleiter : staff human
policeman/policemen = der Polizist, Polizisten, Polizisten : staff human
conductor = der Schaffner, Schaffner : staff human
shop assistant = die Verkäuferin, Verkäuferinnen : staff human
doctor = der Arzt, Ärzte
adult = der Erwachsene, Erwachsene
child/children = das Kind, Kinder
person/people = die Person, Personen
night = die Nacht, Nächte
minute = die Minute, Minuten
year = das Jahr, Jahre
month = der Monat, Monate
week = die Woche, Wochen
head = der Kopf, Köpfe : body
back = der Rücken, Rücken : body
stomach = der Bauch, Bäuche : body
throat = der Hals, Hälse : body
arm = der Arm, Arme : body bone
leg = das Bein, Beine : body bone
foot/feet = der Fuß, Füße : body bone
hand = die Hand, Hände : body bone
finger = der Finger, Finger : body bone
knee = das Knie, Knie : body
ear = das Ohr, Ohren : body
nose = die Nase, Nasen : body
tooth/teeth = der Zahn, Zähne : body
eye = das Auge, Augen : body
shoulder = die Schulter, Schultern : body
concert = das Konzert, Konzerte
film = der Film, Filme
guided tour = die Führung, Führungen
exhibition = die Ausstellung, Ausstellungen
game = das Spiel, Spiele
festival = das Fest, Feste
trip = der Ausflug, Ausflüge
evening = der Abend, Abende
day = der Tag, Tage
present = das Geschenk, Geschenke
invitation = die Einladung, Einladungen
flowers = pl Blumen
meal = das Essen, Essen
money = das Geld
medicine = das Medikament, Medikamente
pill = die Tablette, Tabletten : medicine
drops = pl Tropfen : medicine
"""

# English[, comparative[, superlative]] = German[/stem][, comparative[, superlative]] : tags
_ADJECTIVES = """
red = rot : colour
blue = blau : colour
green = grün : colour
black = schwarz : colour
white = weiß : colour
yellow = gelb : colour
brown = braun : colour
grey = grau : colour
next = nächste/nächst
nearest = nächste/nächst
first = erste/erst
last = letzte/letzt
new, newer, newest = neu, neuer, neust
old, older, oldest = alt, älter, ältest : sight
modern, more modern, most modern = modern, moderner, modernst : sight
big, bigger, biggest = groß, größer, größt : size sight
small, smaller, smallest = klein, kleiner, kleinst : size
long, longer, longest = lang, länger, längst
short, shorter, shortest = kurz, kürzer, kürzest
cheap, cheaper, cheapest = billig, billiger, billigst : price
expensive, more expensive, most expensive = teuer/teur, teurer, teuerst : price
beautiful, more beautiful, most beautiful = schön, schöner, schönst : sight
elegant, more elegant = elegant, eleganter
interesting, more interesting, most interesting = interessant, interessanter, interessantest
famous, more famous, most famous = berühmt, berühmter, berühmtest : sight
good, better, best = gut, besser, best : meal
quiet, quieter, quietest = ruhig, ruhiger, ruhigst : room
bright, brighter, brightest = hell, heller, hellst : room
warm, warmer, warmest = warm, wärmer, wärmst : weather
cold, colder, coldest = kalt, kälter, kältest : weather
hot, hotter, hottest = heiß, heißer, heißest : weather
high, higher, highest = hoch/hoh, höher, höchst
heavy, heavier, heaviest = schwer, schwerer, schwerst
light, lighter, lightest = leicht, leichter, leichtest
fast, faster, fastest = schnell, schneller, schnellst : speed
slow, slower, slowest = langsam, langsamer, langsamst : speed
comfortable, more comfortable = bequem, bequemer : room speed
delicious = lecker : meal
fresh = frisch : meal
salty = salzig
dirty = schmutzig
broken = kaputt
tired = müde
happy = glücklich
closed = geschlossen
lovely = herrlich
kind = freundlich
"""

# [key >] English principal parts [|particle] = German principal parts [+ [preposition] case]
_VERBS = """
be = sein ist gewesen
have had = haben
visit = besuchen
photograph = fotografieren
buy bought = kaufen
take took taken = nehmen nimmt genommen
call = an|rufen angerufen
meet met = treffen trifft getroffen
pick |up = ab|holen
help = helfen hilft geholfen + DAT
wait + for = warten + auf ACC
look + for = suchen
find found = finden gefunden
lose lost = verlieren verloren
leave > leave left = vergessen vergisst vergessen
depart > leave left = ab|fahren fährt ist abgefahren
arrive = an|kommen ist angekommen
land = landen ist gelandet
rent = mieten
book = buchen
reserve = reservieren
pack = packen
pay paid = bezahlen
pay paid + for = bezahlen
send sent = schicken
read read = lesen liest gelesen
eat ate eaten = essen isst gegessen
drink drank drunk = trinken getrunken
order = bestellen
cook = kochen
swim swam swum = schwimmen ist geschwommen
dance = tanzen
play = spielen
sing sang sung = singen gesungen
listen + to = hören
hike = wandern ist gewandert
sleep slept = schlafen schläft geschlafen
get got |up = auf|stehen ist aufgestanden
go went gone = gehen ist gegangen
ride > go went gone = fahren fährt ist gefahren
travel = reisen ist gereist
fly flew flown = fliegen ist geflogen
stay = bleiben ist geblieben
come came come = kommen ist gekommen
get > get got = kommen ist gekommen
get got + on = ein|steigen ist eingestiegen
get got + off = aus|steigen ist ausgestiegen
change + trains = um|steigen ist umgestiegen
live = wohnen
work = arbeiten
learn = lernen
speak spoke spoken = sprechen spricht gesprochen
understand understood = verstehen verstanden
know knew known = wissen weiß gewusst
see saw seen = sehen sieht gesehen
give gave given = geben gibt gegeben
present > give gave given = schenken
show showed shown = zeigen
tell told = sagen + DAT
bring brought = bringen gebracht
wake woke woken = wecken
carry = tragen trägt getragen
try |on = an|probieren
miss = verpassen
fill |in = aus|füllen
hand |in = ab|geben gibt abgegeben
take along > take took taken = mit|nehmen nimmt mitgenommen
invite = ein|laden lädt eingeladen
belong + to = gehören + DAT
turn |on = an|machen
turn |off = aus|machen
open = auf|machen
close = zu|machen
lay > put put = legen
place > put put = stellen
lie > be = liegen gelegen
stand > be = stehen gestanden
like = mögen
taste = schmecken + DAT
please = gefallen gefällt gefallen + DAT
suit = stehen gestanden + DAT
fit = passen + DAT
need = brauchen
stop = halten hält gehalten
turn = ab|biegen ist abgebogen
hurt hurt = weh|tun wehgetan
break broke broken = brechen bricht gebrochen
burn = verbrennen verbrannt
change = wechseln
smoke = rauchen
take took taken + photos = fotografieren
phone = telefonieren
rain = regnen
snow = schneien
start = an|fangen fängt angefangen
cost cost = kosten
"""

# English name[ = German name, with its article where German has one]
CITIES = table("""
Berlin
Hamburg
Munich = München
Cologne = Köln
Dresden
Leipzig
Stuttgart
Bonn
Vienna = Wien
Salzburg
Zurich = Zürich
Geneva = Genf
Rome = Rom
Venice = Venedig
Prague = Prag
Paris
London
Brussels = Brüssel
Lisbon = Lissabon
Madrid
Milan = Mailand
""")
COUNTRIES = table("""
Germany = Deutschland
Austria = Österreich
Italy = Italien
Spain = Spanien
France = Frankreich
Portugal
Poland = Polen
Greece = Griechenland
Denmark = Dänemark
England
Switzerland = die Schweiz
Turkey = die Türkei
the Netherlands = pl Niederlande
""")

TODAY = table("""
today = heute
tonight = heute Abend
this afternoon = heute Nachmittag
""")
TOMORROW = table("""
tomorrow = morgen
tomorrow morning = morgen früh
tomorrow evening = morgen Abend
""")
WEEKDAYS = table("""
on Monday = am Montag
on Wednesday = am Mittwoch
on Friday = am Freitag
on Saturday = am Samstag
""")
LATER = table("""
at the weekend = am Wochenende
next week = nächste Woche
next month = nächsten Monat
""")
RECENTLY = table("""
yesterday = gestern
yesterday evening = gestern Abend
this morning = heute Morgen
on Tuesday = am Dienstag
on Thursday = am Donnerstag
on Sunday = am Sonntag
last week = letzte Woche
last month = letzten Monat
""")
AGO = table("""
two days ago = vor zwei Tagen
an hour ago = vor einer Stunde
""")
NEXT_DAYS = [*TODAY, *TOMORROW, *WEEKDAYS]
FUTURE_TIMES = [*NEXT_DAYS, *LATER, *table("in two days = in zwei Tagen")]
PAST_TIMES = [*RECENTLY, *AGO]

NOUNS = {noun.en: noun for noun in (_noun(*row) for row in _rows(_NOUNS))}
ADJECTIVES = {word.en: word for word in (_adjective(*row) for row in _rows(_ADJECTIVES))}
VERBS = dict(_verb(en, de) for en, de, _ in _rows(_VERBS))


def tagged(*tags: str) -> tuple[Noun, ...]:
    """Return the nouns that carry every one of the tags, in the order of the table."""
    return tuple(noun for noun in NOUNS.values() if set(tags) <= set(noun.tags))


def adjectives(*tags: str) -> tuple[Adjective, ...]:
    """Return the adjectives that carry any of the tags, in the order of the table."""
    return tuple(word for word in ADJECTIVES.values() if not set(tags).isdisjoint(word.tags))
