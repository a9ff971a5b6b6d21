"""The exercises on attention, easiest first."""

from groundup.lessons.self_attention.exercises_attend import ATTEND
from groundup.lessons.self_attention.exercises_blocks import BLOCKS
from groundup.lessons.self_attention.exercises_heads import MULTI_HEAD, SPLIT_HEADS
from groundup.lessons.self_attention.exercises_merge import MERGE
from groundup.lessons.self_attention.exercises_scaled import ATTENTION
from groundup.lessons.self_attention.exercises_torch import ATTENTION_TORCH

EXERCISES = (ATTEND, ATTENTION, ATTENTION_TORCH, SPLIT_HEADS, MULTI_HEAD, MERGE, BLOCKS)
