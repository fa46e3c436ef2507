"""Answers of searches, investigations, traces and moments are counted and timed by question, and so is what failed."""

from __future__ import annotations

from typing import Any

ASKED = [
    ("searches", "GET", "/api/v1/searches", "listSearches", ""),
    ("searches", "GET", "/api/v1/searches/none", "getSearch", "not_found"),
    ("investigations", "GET", "/api/v1/investigations", "listInvestigations", ""),
    ("investigations", "GET", "/api/v1/investigations/none", "getInvestigation", "not_found"),
    ("traces", "GET", "/api/v1/traces?service=shop", "searchTraces", ""),
    ("traces", "GET", "/api/v1/traces/0af7651916cd43dd8448eb211c80319c", "getTrace", "not_found"),
    ("traces", "POST", "/api/v1/traces/compare", "compareTraces", ""),
    ("around", "GET", "/api/v1/around?service=shop", "lookAround", ""),
    ("around", "GET", "/api/v1/around", "lookAround", "invalid"),
]


async def test_every_question_is_timed_and_failures_are_told_by_code(running: Any) -> None:
    async with running() as client:
        for _, method, path, _, code in ASKED:
            body = {"chosen": {"service": "shop"}} if method == "POST" else None
            answer = await client.request(method, path, json=body)
            assert answer.is_success is not bool(code), answer.text
        told = (await client.get("/metrics")).text
    for room, _, _, question, code in ASKED:
        count = sum(each[3] == question for each in ASKED)
        assert f'holdfast_{room}_questions_seconds_count{{question="{question}"}} {count}.0' in told
        failed = f'holdfast_{room}_questions_failed_total{{code="{code}",question="{question}"}} 1.0'
        assert (failed in told) is bool(code), failed
