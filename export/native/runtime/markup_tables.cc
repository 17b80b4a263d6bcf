// Made by make_markup_tables.py. Do not edit.
// clang-format off
#include "runtime/markup_tables.h"

namespace tfcompress {

const std::u32string_view kBlocks[] = {
    U"address", U"article", U"aside", U"audio", U"blockquote", U"body", U"br", U"button", U"canvas",
    U"caption", U"center", U"col", U"colgroup", U"dd", U"details", U"dialog", U"dir", U"div", U"dl",
    U"dt", U"embed", U"fieldset", U"figcaption", U"figure", U"footer", U"form", U"frame",
    U"frameset", U"h1", U"h2", U"h3", U"h4", U"h5", U"h6", U"head", U"header", U"hgroup", U"hr",
    U"html", U"legend", U"li", U"link", U"main", U"menu", U"meta", U"nav", U"noframes", U"noscript",
    U"object", U"ol", U"optgroup", U"option", U"p", U"param", U"pre", U"search", U"section",
    U"select", U"source", U"summary", U"table", U"tbody", U"td", U"template", U"textarea", U"tfoot",
    U"th", U"thead", U"title", U"tr", U"track", U"ul", U"video"};
const size_t kBlocksSize = 73;

const std::u32string_view kVoids[] = {
    U"area", U"base", U"br", U"col", U"embed", U"frame", U"hr", U"img", U"input", U"link", U"meta",
    U"param", U"source", U"track", U"wbr"};
const size_t kVoidsSize = 15;

const std::u32string_view kRaw[] = {
    U"iframe", U"noembed", U"noframes", U"script", U"style", U"xmp"};
const size_t kRawSize = 6;

const std::u32string_view kRawText[] = {
    U"textarea", U"title"};
const size_t kRawTextSize = 2;

const std::u32string_view kOpaque[] = {
    U"canvas", U"code", U"kbd", U"math", U"object", U"samp", U"svg", U"template", U"tt", U"var"};
const size_t kOpaqueSize = 10;

const std::u32string_view kFormatting[] = {
    U"a", U"b", U"big", U"code", U"em", U"font", U"i", U"nobr", U"s", U"small", U"strike",
    U"strong", U"tt", U"u"};
const size_t kFormattingSize = 14;

const std::u32string_view kUnique[] = {
    U"a", U"nobr"};
const size_t kUniqueSize = 2;

const std::u32string_view kScopes[] = {
    U"applet", U"caption", U"marquee", U"object", U"td", U"template", U"th"};
const size_t kScopesSize = 7;

const std::u32string_view kCells[] = {
    U"caption", U"td", U"th"};
const size_t kCellsSize = 3;

const std::u32string_view kCellEnds[] = {
    U"caption", U"col", U"colgroup", U"tbody", U"td", U"tfoot", U"th", U"thead", U"tr"};
const size_t kCellEndsSize = 9;

const std::u32string_view kPreformatted[] = {
    U"pre", U"textarea"};
const size_t kPreformattedSize = 2;

const Ending kEndings[] = {
    {U"address", U"p"}, {U"article", U"p"}, {U"aside", U"p"}, {U"blockquote", U"p"}, {U"body",
    U"head"}, {U"caption", U"caption"}, {U"caption", U"colgroup"}, {U"center", U"p"}, {U"colgroup",
    U"caption"}, {U"colgroup", U"colgroup"}, {U"dd", U"dd"}, {U"dd", U"dt"}, {U"dd", U"p"},
    {U"details", U"p"}, {U"dialog", U"p"}, {U"dir", U"p"}, {U"div", U"p"}, {U"dl", U"p"}, {U"dt",
    U"dd"}, {U"dt", U"dt"}, {U"dt", U"p"}, {U"fieldset", U"p"}, {U"figcaption", U"p"}, {U"figure",
    U"p"}, {U"footer", U"p"}, {U"form", U"p"}, {U"h1", U"p"}, {U"h2", U"p"}, {U"h3", U"p"}, {U"h4",
    U"p"}, {U"h5", U"p"}, {U"h6", U"p"}, {U"header", U"p"}, {U"hgroup", U"p"}, {U"hr", U"p"},
    {U"li", U"li"}, {U"li", U"p"}, {U"main", U"p"}, {U"menu", U"p"}, {U"nav", U"p"}, {U"ol", U"p"},
    {U"optgroup", U"optgroup"}, {U"optgroup", U"option"}, {U"option", U"option"}, {U"p", U"p"},
    {U"pre", U"p"}, {U"search", U"p"}, {U"section", U"p"}, {U"summary", U"p"}, {U"table", U"p"},
    {U"tbody", U"caption"}, {U"tbody", U"colgroup"}, {U"tbody", U"p"}, {U"tbody", U"tbody"},
    {U"tbody", U"td"}, {U"tbody", U"tfoot"}, {U"tbody", U"th"}, {U"tbody", U"thead"}, {U"tbody",
    U"tr"}, {U"td", U"caption"}, {U"td", U"colgroup"}, {U"td", U"p"}, {U"td", U"td"}, {U"td",
    U"th"}, {U"tfoot", U"caption"}, {U"tfoot", U"colgroup"}, {U"tfoot", U"p"}, {U"tfoot", U"tbody"},
    {U"tfoot", U"td"}, {U"tfoot", U"tfoot"}, {U"tfoot", U"th"}, {U"tfoot", U"thead"}, {U"tfoot",
    U"tr"}, {U"th", U"caption"}, {U"th", U"colgroup"}, {U"th", U"p"}, {U"th", U"td"}, {U"th",
    U"th"}, {U"thead", U"caption"}, {U"thead", U"colgroup"}, {U"thead", U"p"}, {U"thead", U"tbody"},
    {U"thead", U"td"}, {U"thead", U"tfoot"}, {U"thead", U"th"}, {U"thead", U"thead"}, {U"thead",
    U"tr"}, {U"tr", U"caption"}, {U"tr", U"colgroup"}, {U"tr", U"p"}, {U"tr", U"td"}, {U"tr",
    U"th"}, {U"tr", U"tr"}, {U"ul", U"p"}};
const size_t kEndingsSize = 94;

const NamedCharacter kCharacterNames[] = {
    {U"AElig", 0xc6}, {U"Aacute", 0xc1}, {U"Acirc", 0xc2}, {U"Agrave", 0xc0}, {U"Alpha", 0x391},
    {U"Aring", 0xc5}, {U"Atilde", 0xc3}, {U"Auml", 0xc4}, {U"Beta", 0x392}, {U"Ccedil", 0xc7},
    {U"Chi", 0x3a7}, {U"Dagger", 0x2021}, {U"Delta", 0x394}, {U"ETH", 0xd0}, {U"Eacute", 0xc9},
    {U"Ecirc", 0xca}, {U"Egrave", 0xc8}, {U"Epsilon", 0x395}, {U"Eta", 0x397}, {U"Euml", 0xcb},
    {U"Gamma", 0x393}, {U"Iacute", 0xcd}, {U"Icirc", 0xce}, {U"Igrave", 0xcc}, {U"Iota", 0x399},
    {U"Iuml", 0xcf}, {U"Kappa", 0x39a}, {U"Lambda", 0x39b}, {U"Mu", 0x39c}, {U"Ntilde", 0xd1},
    {U"Nu", 0x39d}, {U"OElig", 0x152}, {U"Oacute", 0xd3}, {U"Ocirc", 0xd4}, {U"Ograve", 0xd2},
    {U"Omega", 0x3a9}, {U"Omicron", 0x39f}, {U"Oslash", 0xd8}, {U"Otilde", 0xd5}, {U"Ouml", 0xd6},
    {U"Phi", 0x3a6}, {U"Pi", 0x3a0}, {U"Prime", 0x2033}, {U"Psi", 0x3a8}, {U"Rho", 0x3a1},
    {U"Scaron", 0x160}, {U"Sigma", 0x3a3}, {U"THORN", 0xde}, {U"Tau", 0x3a4}, {U"Theta", 0x398},
    {U"Uacute", 0xda}, {U"Ucirc", 0xdb}, {U"Ugrave", 0xd9}, {U"Upsilon", 0x3a5}, {U"Uuml", 0xdc},
    {U"Xi", 0x39e}, {U"Yacute", 0xdd}, {U"Yuml", 0x178}, {U"Zeta", 0x396}, {U"aacute", 0xe1},
    {U"acirc", 0xe2}, {U"acute", 0xb4}, {U"aelig", 0xe6}, {U"agrave", 0xe0}, {U"alefsym", 0x2135},
    {U"alpha", 0x3b1}, {U"amp", 0x26}, {U"and", 0x2227}, {U"ang", 0x2220}, {U"apos", 0x27},
    {U"aring", 0xe5}, {U"asymp", 0x2248}, {U"atilde", 0xe3}, {U"auml", 0xe4}, {U"bdquo", 0x201e},
    {U"beta", 0x3b2}, {U"brvbar", 0xa6}, {U"bull", 0x2022}, {U"cap", 0x2229}, {U"ccedil", 0xe7},
    {U"cedil", 0xb8}, {U"cent", 0xa2}, {U"chi", 0x3c7}, {U"circ", 0x2c6}, {U"clubs", 0x2663},
    {U"cong", 0x2245}, {U"copy", 0xa9}, {U"crarr", 0x21b5}, {U"cup", 0x222a}, {U"curren", 0xa4},
    {U"dArr", 0x21d3}, {U"dagger", 0x2020}, {U"darr", 0x2193}, {U"deg", 0xb0}, {U"delta", 0x3b4},
    {U"diams", 0x2666}, {U"divide", 0xf7}, {U"eacute", 0xe9}, {U"ecirc", 0xea}, {U"egrave", 0xe8},
    {U"empty", 0x2205}, {U"emsp", 0x2003}, {U"ensp", 0x2002}, {U"epsilon", 0x3b5}, {U"equiv",
    0x2261}, {U"eta", 0x3b7}, {U"eth", 0xf0}, {U"euml", 0xeb}, {U"euro", 0x20ac}, {U"exist",
    0x2203}, {U"fnof", 0x192}, {U"forall", 0x2200}, {U"frac12", 0xbd}, {U"frac14", 0xbc},
    {U"frac34", 0xbe}, {U"frasl", 0x2044}, {U"gamma", 0x3b3}, {U"ge", 0x2265}, {U"gt", 0x3e},
    {U"hArr", 0x21d4}, {U"harr", 0x2194}, {U"hearts", 0x2665}, {U"hellip", 0x2026}, {U"iacute",
    0xed}, {U"icirc", 0xee}, {U"iexcl", 0xa1}, {U"igrave", 0xec}, {U"image", 0x2111}, {U"infin",
    0x221e}, {U"int", 0x222b}, {U"iota", 0x3b9}, {U"iquest", 0xbf}, {U"isin", 0x2208}, {U"iuml",
    0xef}, {U"kappa", 0x3ba}, {U"lArr", 0x21d0}, {U"lambda", 0x3bb}, {U"lang", 0x2329}, {U"laquo",
    0xab}, {U"larr", 0x2190}, {U"lceil", 0x2308}, {U"ldquo", 0x201c}, {U"le", 0x2264}, {U"lfloor",
    0x230a}, {U"lowast", 0x2217}, {U"loz", 0x25ca}, {U"lrm", 0x200e}, {U"lsaquo", 0x2039},
    {U"lsquo", 0x2018}, {U"lt", 0x3c}, {U"macr", 0xaf}, {U"mdash", 0x2014}, {U"micro", 0xb5},
    {U"middot", 0xb7}, {U"minus", 0x2212}, {U"mu", 0x3bc}, {U"nabla", 0x2207}, {U"nbsp", 0xa0},
    {U"ndash", 0x2013}, {U"ne", 0x2260}, {U"ni", 0x220b}, {U"not", 0xac}, {U"notin", 0x2209},
    {U"nsub", 0x2284}, {U"ntilde", 0xf1}, {U"nu", 0x3bd}, {U"oacute", 0xf3}, {U"ocirc", 0xf4},
    {U"oelig", 0x153}, {U"ograve", 0xf2}, {U"oline", 0x203e}, {U"omega", 0x3c9}, {U"omicron",
    0x3bf}, {U"oplus", 0x2295}, {U"or", 0x2228}, {U"ordf", 0xaa}, {U"ordm", 0xba}, {U"oslash",
    0xf8}, {U"otilde", 0xf5}, {U"otimes", 0x2297}, {U"ouml", 0xf6}, {U"para", 0xb6}, {U"part",
    0x2202}, {U"permil", 0x2030}, {U"perp", 0x22a5}, {U"phi", 0x3c6}, {U"pi", 0x3c0}, {U"piv",
    0x3d6}, {U"plusmn", 0xb1}, {U"pound", 0xa3}, {U"prime", 0x2032}, {U"prod", 0x220f}, {U"prop",
    0x221d}, {U"psi", 0x3c8}, {U"quot", 0x22}, {U"rArr", 0x21d2}, {U"radic", 0x221a}, {U"rang",
    0x232a}, {U"raquo", 0xbb}, {U"rarr", 0x2192}, {U"rceil", 0x2309}, {U"rdquo", 0x201d}, {U"real",
    0x211c}, {U"reg", 0xae}, {U"rfloor", 0x230b}, {U"rho", 0x3c1}, {U"rlm", 0x200f}, {U"rsaquo",
    0x203a}, {U"rsquo", 0x2019}, {U"sbquo", 0x201a}, {U"scaron", 0x161}, {U"sdot", 0x22c5},
    {U"sect", 0xa7}, {U"shy", 0xad}, {U"sigma", 0x3c3}, {U"sigmaf", 0x3c2}, {U"sim", 0x223c},
    {U"spades", 0x2660}, {U"sub", 0x2282}, {U"sube", 0x2286}, {U"sum", 0x2211}, {U"sup", 0x2283},
    {U"sup1", 0xb9}, {U"sup2", 0xb2}, {U"sup3", 0xb3}, {U"supe", 0x2287}, {U"szlig", 0xdf}, {U"tau",
    0x3c4}, {U"there4", 0x2234}, {U"theta", 0x3b8}, {U"thetasym", 0x3d1}, {U"thinsp", 0x2009},
    {U"thorn", 0xfe}, {U"tilde", 0x2dc}, {U"times", 0xd7}, {U"trade", 0x2122}, {U"uArr", 0x21d1},
    {U"uacute", 0xfa}, {U"uarr", 0x2191}, {U"ucirc", 0xfb}, {U"ugrave", 0xf9}, {U"uml", 0xa8},
    {U"upsih", 0x3d2}, {U"upsilon", 0x3c5}, {U"uuml", 0xfc}, {U"weierp", 0x2118}, {U"xi", 0x3be},
    {U"yacute", 0xfd}, {U"yen", 0xa5}, {U"yuml", 0xff}, {U"zeta", 0x3b6}, {U"zwj", 0x200d},
    {U"zwnj", 0x200c}};
const size_t kCharacterNamesSize = 253;

}  // namespace tfcompress
