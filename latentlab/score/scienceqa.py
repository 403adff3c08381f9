"""Reads the ScienceQA project's own files: its results, and the problems that they are about."""

import json
from pathlib import Path
from typing import Any

from latentlab.data.records import is_list_of
from latentlab.errors import UserError
from latentlab.score.predictions import Prediction, gold_index, groups


def read_results(path: Path, problems: Path, strict: bool) -> tuple[list[Prediction], list[str]]:
    """Read a result file, an object whose `results` name an index from 0 for each problem id.

    Args:
        path: the result file.
        problems: the project's `problems.json`, an object of problems by id.
        strict: stop at the first result that cannot be read.

    Returns:
        One prediction for each result, and what is wrong with those left out.

    Raises:
        UserError: a file is not of its layout, or no result can be read, or `strict` found one
            that cannot.
    """
    known, results = _object(problems), _object(path).get("results")
    if not isinstance(results, dict):
        raise UserError(f"{path} holds no object 'results' of an index for each problem")
    found: list[Prediction] = []
    wrong: list[str] = []
    for number, (name, index) in enumerate(results.items(), start=1):
        try:
            found.append(_prediction(number, name, index, known))
        except UserError as error:
            wrong.append(f"{path}, result {number}: {error}")
            if strict:
                raise UserError(wrong[-1]) from error
    if not found:
        raise UserError(
            f"no result of {path} can be scored; {wrong[0] if wrong else 'it is empty'}"
        )
    return found, wrong


def _prediction(number: int, name: str, index: object, known: dict[str, Any]) -> Prediction:
    problem = known.get(name)
    if not isinstance(problem, dict):
        raise UserError(f"problem {name!r} is not among the {len(known)} problems")
    choices = problem.get("choices")
    if not choices or not is_list_of(choices, str):
        raise UserError(f"problem {name!r} has no list of choices")
    # The project, too, turns texts into numbers.
    if isinstance(index, str) and index.isdecimal() and len(index) < 3:
        index = int(index)
    if type(index) is not int:
        raise UserError(f"problem {name!r} has the result {index!r}, which is no index")
    texts = tuple(choices)
    gold = gold_index(problem.get("answer"), texts)
    divided = groups(problem)
    return Prediction(number, name, texts, gold, None, index, **divided, scienceqa=True)


def _object(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_bytes())
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path} is not valid JSON ({error})") from error
    if not isinstance(content, dict):
        raise UserError(f"{path} must hold one JSON object, in braces")
    return content
