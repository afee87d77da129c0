"""CloudWatch Logs through boto3, as `aws logs` and `samebox logs` read it."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from samebox.resources.log_bound import shorten
from samebox.resources.logbook import Event
from tests.conftest import ACCOUNT, Aws

GROUP = "/aws/sagemaker/TrainingJobs"
STREAM = "digits/algo-1-1700000000"
START = 1_700_000_000_000


def write(aws: Aws, *messages: str, stream: str = STREAM, start: int = START) -> None:
    events = [Event(start + number, message) for number, message in enumerate(messages)]
    aws.services.logbook.of(ACCOUNT, "us-east-1").append(GROUP, stream, events)


def read(aws: Aws, **params: Any) -> tuple[list[str], str, str]:
    answer = aws.logs.get_log_events(logGroupName=GROUP, logStreamName=STREAM, **params)
    events = [event["message"] for event in answer["events"]]
    return events, answer["nextForwardToken"], answer["nextBackwardToken"]


def filtered(aws: Aws, **params: Any) -> list[str]:
    pages = aws.logs.get_paginator("filter_log_events").paginate(logGroupName=GROUP, **params)
    return [event["message"] for page in pages for event in page["events"]]


def error_of(call: Any, **params: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**params)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def test_a_log_is_followed_from_its_head(aws: Aws) -> None:
    write(aws, "a", "b", "c")
    events, forward, _ = read(aws, startFromHead=True, limit=2)
    assert events == ["a", "b"]
    events, forward, _ = read(aws, startFromHead=True, nextToken=forward)
    assert events == ["c"]
    events, same, _ = read(aws, startFromHead=True, nextToken=forward)
    assert (events, same) == ([], forward), "at the end a token leads to itself"
    write(aws, "d")
    assert read(aws, startFromHead=True, nextToken=forward)[0] == ["d"]


def test_a_log_is_read_back_from_its_end(aws: Aws) -> None:
    write(aws, "a", "b", "c")
    events, _, backward = read(aws, limit=2)
    assert events == ["b", "c"]
    events, forward, backward = read(aws, nextToken=backward)
    assert events == ["a"]
    assert read(aws, nextToken=forward)[0] == ["b", "c"]
    events, _, same = read(aws, nextToken=backward)
    assert (events, same) == ([], backward)


def test_a_reading_that_finds_nothing_at_first_leads_on(aws: Aws) -> None:
    write(aws, *["x" * 200_000] * 12, "late")
    events, forward, _ = read(aws, startFromHead=True, startTime=START + 12)
    pages = 1
    while not events:
        events, forward, _ = read(aws, startTime=START + 12, nextToken=forward)
        pages += 1
    assert (events, pages) == (["late"], 3)


def test_a_line_without_text_is_no_event(aws: Aws) -> None:
    # The model's messages have a character at least. Files of earlier versions have such lines.
    write(aws, "", "a", "", "b", "")
    assert read(aws, startFromHead=True)[0] == read(aws)[0] == filtered(aws) == ["a", "b"]


def test_times_bound_a_reading(aws: Aws) -> None:
    write(aws, "a", "b", "c", "d")
    assert read(aws, startTime=START + 1, endTime=START + 3)[0] == ["b", "c"]


def test_an_empty_log_has_tokens_too(aws: Aws) -> None:
    write(aws)
    events, forward, backward = read(aws)
    assert events == []
    write(aws, "a")
    assert read(aws, nextToken=forward)[0] == ["a"]
    assert read(aws, nextToken=backward)[0] == []


def test_an_answer_is_at_most_a_megabyte(aws: Aws) -> None:
    write(aws, *["x" * 200_000] * 7)
    events, forward, _ = read(aws, startFromHead=True)
    rest, _, _ = read(aws, startFromHead=True, nextToken=forward)
    assert (len(events), len(rest)) == (5, 2)


def test_a_token_that_is_none_is_refused(aws: Aws) -> None:
    write(aws, "a")
    code = error_of(aws.logs.get_log_events, logGroupName=GROUP, logStreamName=STREAM, nextToken="f/1")
    assert code == ("InvalidParameterException", "The specified nextToken is invalid.")


def test_a_missing_resource_is_an_error(aws: Aws) -> None:
    no_group = ("ResourceNotFoundException", "The specified log group does not exist.")
    no_stream = ("ResourceNotFoundException", "The specified log stream does not exist.")
    logs = aws.logs
    assert error_of(logs.get_log_events, logGroupName=GROUP, logStreamName=STREAM) == no_group
    assert error_of(logs.describe_log_streams, logGroupName=GROUP) == no_group
    assert error_of(logs.filter_log_events, logGroupName=GROUP) == no_group
    logs.create_log_group(logGroupName=GROUP)
    assert error_of(logs.get_log_events, logGroupName=GROUP, logStreamName=STREAM) == no_stream
    assert error_of(logs.delete_log_stream, logGroupName=GROUP, logStreamName=STREAM) == no_stream


def test_groups_are_listed_in_pages(aws: Aws) -> None:
    for name in ("/b", "/a", "/c/Deep"):
        aws.logs.create_log_group(logGroupName=name)
    pages = aws.logs.get_paginator("describe_log_groups").paginate(PaginationConfig={"PageSize": 2})
    assert [[one["logGroupName"] for one in page["logGroups"]] for page in pages] == [["/a", "/b"], ["/c/Deep"]]
    (found,) = aws.logs.describe_log_groups(logGroupNamePrefix="/c")["logGroups"]
    assert found["arn"] == f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:/c/Deep:*"
    assert aws.client("logs", account="210987654321").describe_log_groups()["logGroups"] == []


def test_streams_are_listed_by_name_or_by_last_event(aws: Aws) -> None:
    write(aws, "x", stream="b/1", start=START)
    write(aws, "x", stream="a/1", start=START + 10)
    write(aws, "x", stream="a/2", start=START + 5)

    def names(**params: Any) -> list[str]:
        pages = aws.logs.get_paginator("describe_log_streams").paginate(
            logGroupName=GROUP, PaginationConfig={"PageSize": 2}, **params
        )
        return [one["logStreamName"] for page in pages for one in page["logStreams"]]

    assert names() == ["a/1", "a/2", "b/1"]
    assert names(logStreamNamePrefix="a/", descending=True) == ["a/2", "a/1"]
    assert names(orderBy="LastEventTime", descending=True) == ["a/1", "a/2", "b/1"]
    assert error_of(
        aws.logs.describe_log_streams, logGroupName=GROUP, logStreamNamePrefix="a", orderBy="LastEventTime"
    ) == ("InvalidParameterException", "Cannot order by LastEventTime with a logStreamNamePrefix.")


def test_streams_are_searched_as_one(aws: Aws) -> None:
    write(aws, "one ERROR", "two", stream="a", start=START)
    write(aws, "three ERROR", stream="b", start=START + 1)
    assert filtered(aws) == ["one ERROR", "two", "three ERROR"]
    assert filtered(aws, filterPattern="ERROR", PaginationConfig={"PageSize": 1}) == ["one ERROR", "three ERROR"]
    assert filtered(aws, logStreamNames=["b"]) == ["three ERROR"]
    assert filtered(aws, logStreamNamePrefix="a", startTime=START + 1) == ["two"]


def test_a_search_looks_at_a_megabyte_an_answer_and_leads_on(aws: Aws) -> None:
    write(aws, "needle one", *["hay" * 100_000] * 12, "needle two")
    first = aws.logs.filter_log_events(logGroupName=GROUP, filterPattern="needle")
    assert [event["message"] for event in first["events"]] == ["needle one"]
    assert (
        filtered(aws, filterPattern="needle")
        == filtered(aws, filterPattern="%^needle%")
        == ["needle one", "needle two"]
    )
    answers = len(
        list(aws.logs.get_paginator("filter_log_events").paginate(logGroupName=GROUP, filterPattern="needle"))
    )
    assert answers == 4, "3.6 MB"


def test_a_log_whose_middle_was_left_out_is_read_both_ways_and_searched(aws: Aws) -> None:
    write(aws, *(f"line {number} {'.' * 100}" for number in range(1_000)))
    write(aws, "beside", stream="other")
    (path,) = [path for path in aws.services.settings.data_dir.rglob("digits*") if path.is_file()]
    shorten(path, 40_000)
    told, token = [], ""
    while True:
        messages, following, _ = read(aws, limit=100, **({"nextToken": token} if token else {"startFromHead": True}))
        if following == token:
            break
        token = following
        told += messages
    back, token = list[str](), ""
    while True:
        messages, _, preceding = read(aws, limit=100, **({"nextToken": token} if token else {}))
        if preceding == token:
            break
        token = preceding
        back += messages[::-1]
    assert (told[0][:7], told[-1][:8]) == ("line 0 ", "line 999")
    assert len([message for message in told if message.startswith("samebox: ")]) == 1
    assert len(told) < 500
    assert back == told[::-1]
    assert sorted(filtered(aws)) == sorted([*told, "beside"])
    assert filtered(aws, filterPattern='"line 999"') == [told[-1]]


def test_a_search_of_many_streams_gives_each_event_once_and_by_time(aws: Aws) -> None:
    for number in range(7):
        for part in range(3):
            start = START + number + 100 * part
            write(aws, *(f"{start + 7 * line}" for line in range(10)), stream=f"s{number}", start=start)
    expected = sorted(filtered(aws))
    for size in (1, 4, 1000):
        found = [
            event
            for page in aws.logs.get_paginator("filter_log_events").paginate(
                logGroupName=GROUP, PaginationConfig={"PageSize": size}
            )
            for event in page["events"]
        ]
        assert sorted(event["message"] for event in found) == expected
        assert len({event["eventId"] for event in found}) == len(found) == 210
        assert [event["timestamp"] for event in found] == sorted(event["timestamp"] for event in found)


def test_a_token_of_a_search_that_is_none_is_refused(aws: Aws) -> None:
    write(aws, "a")
    for token in ("x", "e30=", "W10=", "WzEsIDJd"):
        code = error_of(aws.logs.filter_log_events, logGroupName=GROUP, nextToken=token)
        assert code == ("InvalidParameterException", "The specified nextToken is invalid.")


def test_the_newest_first_is_refused_and_not_answered_with_the_oldest(aws: Aws) -> None:
    write(aws, "a", "b")
    code, _ = error_of(aws.logs.filter_log_events, logGroupName=GROUP, startFromHead=False)
    assert code == "NotImplemented"


def test_what_is_given_with_a_group_is_shown_again(aws: Aws) -> None:
    key = "arn:aws:kms:us-east-1:123456789012:key/abc"
    logs = aws.logs
    logs.create_log_group(logGroupName="/k", kmsKeyId=key, logGroupClass="INFREQUENT_ACCESS", tags={"a": "1"})
    logs.create_log_group(logGroupName="/plain")
    kept, plain = logs.describe_log_groups()["logGroups"]
    assert (kept["kmsKeyId"], kept["logGroupClass"]) == (key, "INFREQUENT_ACCESS")
    assert ("kmsKeyId" in plain, plain["logGroupClass"]) == (False, "STANDARD")
    assert [one["logGroupName"] for one in logs.describe_log_groups(logGroupClass="STANDARD")["logGroups"]] == [
        "/plain"
    ]
    arn = kept["logGroupArn"]
    logs.tag_resource(resourceArn=arn, tags={"b": "2", "c": "3"})
    logs.untag_resource(resourceArn=arn, tagKeys=["a", "c"])
    assert logs.list_tags_for_resource(resourceArn=arn)["tags"] == {"b": "2"}
    code, _ = error_of(logs.create_log_group, logGroupName="/safe", deletionProtectionEnabled=True)
    assert code == "NotImplemented"


def test_a_client_writes_too(aws: Aws) -> None:
    logs = aws.logs
    logs.create_log_group(logGroupName=GROUP)
    logs.create_log_stream(logGroupName=GROUP, logStreamName=STREAM)
    logs.put_log_events(logGroupName=GROUP, logStreamName=STREAM, logEvents=[{"timestamp": START, "message": "hello"}])
    assert read(aws)[0] == ["hello"]
    assert error_of(logs.create_log_stream, logGroupName=GROUP, logStreamName=STREAM) == (
        "ResourceAlreadyExistsException",
        "The specified log stream already exists",
    )
    logs.delete_log_group(logGroupName=GROUP)
    assert logs.describe_log_groups()["logGroups"] == []


def test_events_out_of_the_time_range_are_rejected_and_not_kept(aws: Aws) -> None:
    write(aws)
    day = 24 * 3600 * 1000
    times = [START - 20 * day, START, START + day]
    answer = aws.logs.put_log_events(
        logGroupName=GROUP,
        logStreamName=STREAM,
        logEvents=[{"timestamp": time, "message": str(time)} for time in times],
    )
    assert answer["rejectedLogEventsInfo"] == {"tooOldLogEventEndIndex": 1, "tooNewLogEventStartIndex": 2}
    assert read(aws)[0] == [str(START)]
    code, _ = error_of(
        aws.logs.put_log_events,
        logGroupName=GROUP,
        logStreamName=STREAM,
        logEvents=[{"timestamp": time, "message": "x"} for time in times[::-1]],
    )
    assert code == "InvalidParameterException"


def test_arns_name_the_partition_of_the_region(aws: Aws) -> None:
    logs = aws.client("logs", region="us-gov-west-1")
    logs.create_log_group(logGroupName="g")
    logs.create_log_stream(logGroupName="g", logStreamName="s")
    start = "arn:aws-us-gov:logs:us-gov-west-1:123456789012:log-group:g"
    assert logs.describe_log_groups()["logGroups"][0]["logGroupArn"] == start
    assert logs.describe_log_streams(logGroupName="g")["logStreams"][0]["arn"] == f"{start}:log-stream:s"
