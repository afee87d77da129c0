"""The hyperparameters of the built-in algorithm XGBoost: which are taken, and the words for those that are not."""

import pytest

from samebox_xgboost.hyperparameters import UserError, parameters, validated


def test_texts_become_values_of_their_types() -> None:
    found = validated({"num_round": "10", "eta": "0.2", "objective": "reg:linear", "tree_method": "gpu_hist"})
    assert found == {"num_round": 10, "eta": 0.2, "objective": "reg:squarederror", "tree_method": "hist"}


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({}, "Missing required hyperparameter: num_round"),
        ({"num_round": "1", "rounds": "1"}, "Extraneous hyperparameter found: rounds"),
        ({"num_round": "1.5"}, "Hyperparameter num_round: could not parse value: 1.5 is not an integer"),
        ({"num_round": "0"}, "Hyperparameter num_round: value 0 is out of range: it must be at least 1"),
        ({"num_round": "1", "eta": "nan"}, "Hyperparameter eta: could not parse value: nan is not a number"),
        (
            {"num_round": "1", "monotone_constraints": "(1,"},
            "could not parse value: (1, is not a list",
        ),
        ({"num_round": "1", "eta": "2"}, "value 2 is out of range: it must be at least 0 and at most 1"),
        (
            {"num_round": "1", "objective": "best"},
            "Hyperparameter objective: value best is not one of binary:logistic,",
        ),
        ({"num_round": "1", "objective": "multi:softmax"}, "Require input for parameter 'num_class'"),
        ({"num_round": "1", "_kfold": "3"}, "cross-validation is not run by this image"),
    ],
)
def test_what_cannot_be_used_is_refused_before_data_is_read(given: dict[str, str], problem: str) -> None:
    with pytest.raises(UserError) as refused:
        validated(given)
    assert problem in str(refused.value)


def test_xgboost_gets_what_is_its_own() -> None:
    found = validated(
        {
            "num_round": "10",
            "early_stopping_rounds": "3",
            "eval_metric": "rmse,mae",
            "_tuning_objective_metric": "validation:rmse",
            "predictor": "cpu_predictor",
            "max_depth": "4",
            "monotone_constraints": "(1,-1)",
            "sagemaker_region": "us-east-1",
        }
    )
    assert parameters(found) == {"max_depth": 4, "monotone_constraints": [1, -1]}
