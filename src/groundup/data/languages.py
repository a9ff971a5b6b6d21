"""One text in sixteen languages, for measuring how alike two languages look to a compressor (lesson 25)."""

import json

from groundup.data.files import package_data

# All are written in the Latin alphabet: with two alphabets, scripts and not languages would be clustered.
FAMILIES = {
    "English": "Germanic",
    "German": "Germanic",
    "Dutch": "Germanic",
    "Swedish": "Germanic",
    "French": "Romance",
    "Spanish": "Romance",
    "Italian": "Romance",
    "Portuguese": "Romance",
    "Polish": "Slavic",
    "Czech": "Slavic",
    "Croatian": "Slavic",
    "Slovene": "Slavic",
    "Finnish": "Uralic",
    "Estonian": "Uralic",
    "Turkish": "Turkic",
    "Azerbaijani": "Turkic",
}


def language_texts() -> dict[str, str]:
    """Return the Universal Declaration of Human Rights, about 11,000 characters a language, by language.

    FAMILIES gives the family of each: the grouping that a clustering should find. Cilibrasi & Vitányi,
    "Clustering by Compression" (2005), built their language tree from the same document.
    """
    return json.loads(package_data("languages.json.gz"))
