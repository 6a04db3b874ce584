"""The substitution parameters of the 22 queries: the validation set, and new draws from a seed.

Clauses 2.4.1.3 to 2.4.22.3 of the specification say which values a parameter may take. A template
(templates/q01.sql …) names a parameter as `:name`; `render` puts the values in.

The word lists are those of the generator: they are read from generator/word_list.c.
"""
import random
import re
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

HERE = Path(__file__).resolve().parent
QUERY_COUNT = 22
QUERY_NAMES = tuple(f"q{number:02}" for number in range(1, QUERY_COUNT + 1))

# What the specification prescribes to validate a system. `fraction` of q11 follows from the scale.
VALIDATION = {
    "q01": {"delta": 90},
    "q02": {"size": 15, "type": "BRASS", "region": "EUROPE"},
    "q03": {"segment": "BUILDING", "date": "1995-03-15"},
    "q04": {"date": "1993-07-01"},
    "q05": {"region": "ASIA", "date": "1994-01-01"},
    "q06": {"date": "1994-01-01", "discount": "0.06", "quantity": 24},
    "q07": {"nation1": "FRANCE", "nation2": "GERMANY"},
    "q08": {"nation": "BRAZIL", "region": "AMERICA", "type": "ECONOMY ANODIZED STEEL"},
    "q09": {"color": "green"},
    "q10": {"date": "1993-10-01"},
    "q11": {"nation": "GERMANY"},
    "q12": {"shipmode1": "MAIL", "shipmode2": "SHIP", "date": "1994-01-01"},
    "q13": {"word1": "special", "word2": "requests"},
    "q14": {"date": "1995-09-01"},
    "q15": {"date": "1996-01-01"},
    "q16": {"brand": "Brand#45", "type": "MEDIUM POLISHED", "size1": 49, "size2": 14, "size3": 23,
            "size4": 45, "size5": 19, "size6": 3, "size7": 36, "size8": 9},
    "q17": {"brand": "Brand#23", "container": "MED BOX"},
    "q18": {"quantity": 300},
    "q19": {"quantity1": 1, "quantity2": 10, "quantity3": 20,
            "brand1": "Brand#12", "brand2": "Brand#23", "brand3": "Brand#34"},
    "q20": {"color": "forest", "date": "1994-01-01", "nation": "CANADA"},
    "q21": {"nation": "SAUDI ARABIA"},
    "q22": {"code1": 13, "code2": 31, "code3": 23, "code4": 29, "code5": 30, "code6": 18,
            "code7": 17},
}


def _read_word_lists():
    """Returns {list name: words} and the region of each nation, from the generator's source."""
    source = (HERE / "generator" / "word_list.c").read_text(encoding="utf-8")
    lists = {
        match[1]: re.findall(r'WORD\("([^"]*)"\)', match[2])
        for match in re.finditer(r"static const ListWord (\w+)\[\] = \{(.*?)\};", source, re.S)
    }
    regions = re.search(r"word_list_nation_regions\[25\] = \{(.*?)\}", source, re.S)[1]
    return lists, [int(region) for region in regions.replace(",", " ").split()]


WORDS, NATION_REGIONS = _read_word_lists()


def _month(draw, first, last):
    """The first day of a random month; `first` and `last` are (year, month), both included."""
    month = draw.randint(first[0] * 12 + first[1] - 1, last[0] * 12 + last[1] - 1)
    return f"{month // 12}-{month % 12 + 1:02}-01"


def _year(draw):
    return f"{draw.randint(1993, 1997)}-01-01"


def _brand(draw):
    return f"Brand#{draw.randint(1, 5)}{draw.randint(1, 5)}"


def _words(draw, *list_names):
    return " ".join(draw.choice(WORDS[name]) for name in list_names)


def _numbered(name, values):
    return {f"{name}{number}": value for number, value in enumerate(values, 1)}


def _draw_q08(draw):
    nation = draw.randrange(len(WORDS["nations"]))
    return {"nation": WORDS["nations"][nation],
            "region": WORDS["regions"][NATION_REGIONS[nation]],
            "type": _words(draw, "type_sizes", "type_finishes", "type_metals")}


_DRAWS = {
    "q01": lambda draw: {"delta": draw.randint(60, 120)},
    "q02": lambda draw: {"size": draw.randint(1, 50), "type": _words(draw, "type_metals"),
                         "region": _words(draw, "regions")},
    "q03": lambda draw: {"segment": _words(draw, "segments"),
                         "date": f"1995-03-{draw.randint(1, 31):02}"},
    "q04": lambda draw: {"date": _month(draw, (1993, 1), (1997, 10))},
    "q05": lambda draw: {"region": _words(draw, "regions"), "date": _year(draw)},
    "q06": lambda draw: {"date": _year(draw), "discount": f"0.0{draw.randint(2, 9)}",
                         "quantity": draw.randint(24, 25)},
    "q07": lambda draw: _numbered("nation", draw.sample(WORDS["nations"], 2)),
    "q08": _draw_q08,
    "q09": lambda draw: {"color": _words(draw, "colours")},
    "q10": lambda draw: {"date": _month(draw, (1993, 2), (1995, 1))},
    "q11": lambda draw: {"nation": _words(draw, "nations")},
    "q12": lambda draw: {**_numbered("shipmode", draw.sample(WORDS["modes"], 2)),
                         "date": _year(draw)},
    "q13": lambda draw: {"word1": draw.choice(["special", "pending", "unusual", "express"]),
                         "word2": draw.choice(["packages", "requests", "accounts", "deposits"])},
    "q14": lambda draw: {"date": _month(draw, (1993, 1), (1997, 12))},
    "q15": lambda draw: {"date": _month(draw, (1993, 1), (1997, 10))},
    "q16": lambda draw: {"brand": _brand(draw),
                         "type": _words(draw, "type_sizes", "type_finishes"),
                         **_numbered("size", draw.sample(range(1, 51), 8))},
    "q17": lambda draw: {"brand": _brand(draw),
                         "container": _words(draw, "container_sizes", "container_kinds")},
    "q18": lambda draw: {"quantity": draw.randint(312, 315)},
    "q19": lambda draw: {"quantity1": draw.randint(1, 10), "quantity2": draw.randint(10, 20),
                         "quantity3": draw.randint(20, 30),
                         **_numbered("brand", [_brand(draw) for _ in range(3)])},
    "q20": lambda draw: {"color": _words(draw, "colours"), "date": _year(draw),
                         "nation": _words(draw, "nations")},
    "q21": lambda draw: {"nation": _words(draw, "nations")},
    "q22": lambda draw: _numbered("code", draw.sample(range(10, 35), 7)),
}


def _with_scale(query, values, scale):
    """q11 asks for the stock above a share of the total that shrinks as the scale grows."""
    if query == "q11":
        fraction = Decimal("0.0001") / Decimal(str(scale))
        fraction = fraction.quantize(Decimal("1e-10"), rounding=ROUND_HALF_UP)
        values = {**values, "fraction": f"{fraction:f}"}
    return values


def validation_values(query, scale=1):
    """The parameters with which answers are validated."""
    return _with_scale(query, VALIDATION[query], scale)


def draw_values(query, seed, scale=1):
    """New parameters of a query; the same for the same seed, whatever other queries draw."""
    return _with_scale(query, _DRAWS[query](random.Random(f"{seed}/{query}")), scale)


def render(template_name, values):
    """The SQL text of templates/<template_name>.sql with all `:name`s replaced."""
    text = (HERE / "templates" / f"{template_name}.sql").read_text(encoding="utf-8")
    return re.sub(r":([a-z][a-z0-9]*)", lambda match: str(values[match[1]]), text)


def validation_sql(query, scale=1):
    return render(query, validation_values(query, scale))
