"""A course of sixty lessons with three hundred exercises: the lessons that exist, and those that there may be one day.

The made-up ones have the titles, levels and needs of the real plan, and the cells of a lesson that exists.
"""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

#: number, slug, title, level (b, i, a), minutes, what it needs by slug. Those that exist are left as they are.
FOUNDATIONS = """
01 complexodynamics | The first law of complexodynamics | a 60 | kolmogorov_complexity
02 char_rnn
03 lstm | Understanding LSTM networks | i 75 | char_rnn
04 rnn_regularization | Recurrent neural network regularization | i 60 | lstm
05 simple_networks | Keeping neural networks simple by a short description of the weights | a 90 | optimizers
26 convnets | Convolutional networks for visual recognition, the course | b 90 | optimizers
"""
ARCHITECTURES = """
06 pointer_networks | Pointer networks | i 60 | bahdanau
07 alexnet
08 order_matters | Order matters: sequence to sequence for sets | a 75 | pointer_networks
09 gpipe | GPipe: pipeline parallelism | i 60 | resnet
10 resnet | Deep residual learning for image recognition | i 75 | alexnet
11 dilated_convolutions | Multi-scale context aggregation by dilated convolutions | i 60 | alexnet
12 message_passing | Neural message passing for quantum chemistry | i 75 | optimizers
13 attention_is_all_you_need
14 bahdanau | Neural machine translation by jointly learning to align and translate | i 75 | lstm
15 identity_mappings | Identity mappings in deep residual networks | i 60 | resnet
16 relation_networks | A simple neural network module for relational reasoning | i 60 | alexnet
17 lossy_autoencoder | Variational lossy autoencoder | a 120 | simple_networks alexnet
18 relational_rnn | Relational recurrent neural networks | a 75 | lstm self_attention
19 coffee_automaton | The coffee automaton: the rise and fall of complexity in closed systems | i 60 | complexodynamics
20 turing_machines | Neural Turing machines | a 120 | lstm
21 deep_speech | Deep Speech 2 and connectionist temporal classification | i 90 | lstm
"""
THEORY = """
22 scaling_laws | Scaling laws for neural language models | i 90 | tiny_decoder
23 description_length | A tutorial on the minimum description length principle | a 90 | kolmogorov_complexity
24 super_intelligence | Machine super intelligence | a 120 | kolmogorov_complexity
25 kolmogorov_complexity
27 multi_token | Better and faster large language models via multi-token prediction | i 60 | tiny_decoder
28 dense_retrieval | Dense passage retrieval for open-domain question answering | i 75 | attention_is_all_you_need
29 retrieval_generation | Retrieval-augmented generation for knowledge-intensive tasks | i 75 | dense_retrieval
30 lost_in_the_middle | Lost in the middle: how language models use long contexts | i 60 | attention_is_all_you_need
"""
MODERN = """
m01 tokenizers | Byte-pair encoding: how a text becomes tokens | b 60 | char_rnn
m02 gpt | GPT: a language model from the decoder up | i 120 | tiny_decoder tokenizers
m03 rotary | Rotary position embeddings | i 60 | tiny_decoder
m04 rms_swiglu | RMSNorm and SwiGLU | i 45 | tiny_decoder
m05 grouped_query | Grouped-query attention and the size of the cache | i 45 | tiny_decoder
m06 llama | Llama: the recipe of today's decoder | i 120 | gpt rotary rms_swiglu grouped_query
m07 flash_attention | FlashAttention: exact attention without the matrix | a 90 | self_attention
m08 mixed_precision | Half precision, loss scaling and what rounding does | i 60 | optimizers
m09 data | What a language model reads: filtering, deduplication, mixtures | b 60 | gpt
m10 mixture_of_experts | Mixture of experts | i 90 | llama
m11 state_space | State-space models and Mamba | a 120 | lstm llama
m12 lora | LoRA: fine-tuning with few parameters | i 45 | llama
m13 instruction_tuning | Instruction tuning | i 60 | llama
m14 reward_models | Reward models from comparisons | i 60 | instruction_tuning
m15 ppo | Policy gradients and PPO for language models | a 120 | reward_models
m16 dpo | Direct preference optimisation | i 75 | reward_models
m17 grpo | GRPO and rewards that can be checked | a 90 | ppo
m18 sampling | Sampling: temperature, top-k, top-p and beams | b 45 | tiny_decoder
m19 speculative | Speculative decoding | i 60 | sampling llama
m20 quantization | Quantisation to eight and four bits | i 75 | llama
m21 distillation | Distillation | i 60 | gpt
m22 long_context | Long contexts: interpolation and what it costs | i 60 | rotary llama
m23 vision_transformer | The vision transformer | i 75 | attention_is_all_you_need alexnet
m24 clip | CLIP: pictures and sentences in one space | i 90 | vision_transformer gpt
m25 diffusion | Denoising diffusion | a 120 | resnet
m26 evaluation | Evaluation: perplexity, benchmarks and contamination | b 60 | gpt
"""
PARTS = {
    "Foundations": FOUNDATIONS,
    "Architectures and mechanisms": ARCHITECTURES,
    "Theory and modern": THEORY,
    "The modern LLM stack": MODERN,
}
LEVELS = {"b": "beginner", "i": "intermediate", "a": "advanced"}
EXERCISES = 300


def write(source: Path, folder: Path) -> None:
    """Make of the data of the real pages (build/site-data) that of sixty lessons."""
    site, known = (json.loads((source / f"{name}.json").read_text()) for name in ("site", "practice"))
    real = {lesson["slug"]: lesson for lesson in site["lessons"]}
    lessons = list(planned(real))
    folders = {lesson["slug"]: lesson["folder"] for lesson in lessons}
    for lesson in lessons:
        lesson["needs"] = [folders.get(name, name) for name in lesson["needs"]]
    for lesson in lessons:
        lesson["leadsTo"] = [other["folder"] for other in lessons if lesson["folder"] in other["needs"]]
    (folder / "lessons").mkdir(parents=True)
    own = list(real.values())
    for place, lesson in enumerate(lessons):
        like = real.get(lesson["slug"], own[place % len(own)])["folder"]
        page = json.loads((source / "lessons" / f"{like}.json").read_text())
        page |= {"lesson": lesson, "notebooks": []}
        (folder / "lessons" / f"{lesson['folder']}.json").write_text(json.dumps(page))
    paths = [{**path, "lessons": on_path(path, lessons)} for path in site["paths"]]
    whole = {**site, "parts": ["Start here", *PARTS], "lessons": lessons, "paths": paths, "exercises": EXERCISES}
    (folder / "site.json").write_text(json.dumps(whole))
    exercises = [
        {**known[place % len(known)], "name": f"exercise_{place}"}
        | {name: lessons[place // 5][key] for name, key in (("folder", "folder"), ("lesson", "title"))}
        for place in range(EXERCISES)
    ]
    (folder / "practice.json").write_text(json.dumps(exercises))
    for name in ("practice.zip", "questions.json"):
        shutil.copy(source / name, folder)


def planned(real: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The records of all lessons, needs by slug where the lesson is made up."""
    yield from (lesson for lesson in real.values() if lesson["part"] == "Start here")
    for part, lines in PARTS.items():
        for line in lines.strip().splitlines():
            name, _, rest = line.partition(" | ")
            number, slug = name.split()
            if slug in real:
                yield real[slug]
                continue
            title, kind, needs = rest.split(" | ")
            level, minutes = kind.split()
            yield {
                **next(iter(real.values())),
                **{"folder": f"{'' if number[0] == 'm' else 'p'}{number}_{slug}", "number": number, "slug": slug},
                **{"name": f"{number} {slug}", "title": title, "summary": title, "part": part},
                **{"level": LEVELS[level], "minutes": int(minutes), "needs": needs.split(), "paper": None},
            }


def on_path(path: dict[str, Any], lessons: list[dict[str, Any]]) -> list[str]:
    """A path's lessons, as reader/paths.py would choose them."""
    by_folder = {lesson["folder"]: lesson for lesson in lessons}
    parts = {"theory": "Theory and modern", "modern-llm": "The modern LLM stack"}
    wanted = [
        one["folder"]
        for one in lessons
        if path["slug"] in (one["level"], *(k for k, v in parts.items() if v == one["part"]))
    ]
    found: set[str] = set()
    while wanted:
        folder = wanted.pop()
        if folder not in found:
            found.add(folder)
            wanted += by_folder[folder]["needs"]
    return [folder for folder in by_folder if folder in found]
