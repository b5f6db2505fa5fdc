using System.Text;

namespace Ork.Protocol.Tests;

/// <summary>Every member of a payload is read as what it is, and its bounds are where the protocol says.</summary>
public sealed class MemberTests
{
    [Fact]
    public void Every_member_of_a_command_request_is_read()
    {
        Assert.Null(CommandRequestPayload.Read(Bytes("""
            {"command":"c","params":{"a":1},"scope":"worker","workerId":"w","targets":["d1","d2"],"idempotencyKey":"k","priority":"urgent","deadlineMs":7,
             "commandId":"id","attempt":3,"epoch":4,"timeoutMs":5}
            """), out var read));
        Assert.Equal(("c", CommandScope.Worker, "w", "k", CommandPriority.Urgent, 7L), (read.Command, read.Scope, read.WorkerId, read.IdempotencyKey, read.Priority, read.DeadlineMs));
        Assert.Equal(("id", 3, 4L, 5L), (read.CommandId, read.Attempt, read.Epoch, read.TimeoutMs));
        Assert.Equal("""{"a":1}""", Encoding.UTF8.GetString(read.Params.Span));
        Assert.Equal(["d1", "d2"], read.Targets!);
    }

    [Fact]
    public void What_a_command_request_leaves_out_is_the_plain_thing()
    {
        Assert.Null(CommandRequestPayload.Read(Bytes("""{"command":"c","attempt":null,"epoch":null,"timeoutMs":null,"commandId":null,"priority":null}"""), out var read));
        Assert.Equal((CommandScope.Device, CommandPriority.Normal, 0, 0L, 0L), (read.Scope, read.Priority, read.Attempt, read.Epoch, read.TimeoutMs));
        Assert.Null(read.CommandId);
        Assert.Null(read.DeadlineMs);
    }

    [Theory]
    [InlineData(""" "priority":"normal" """, null)]
    [InlineData(""" "priority":"soon" """, "ERR_PAYLOAD_FIELD_INVALID: priority must be normal or urgent")]
    [InlineData(""" "priority":7 """, "ERR_PAYLOAD_FIELD_INVALID: priority must be normal or urgent")]
    [InlineData(""" "deadlineMs":1 """, null)]
    [InlineData(""" "deadlineMs":0 """, "ERR_PAYLOAD_FIELD_INVALID: deadlineMs must be a whole number above 0")]
    [InlineData(""" "deadlineMs":1.5 """, "ERR_PAYLOAD_FIELD_INVALID: deadlineMs must be a whole number above 0")]
    [InlineData(""" "deadlineMs":0,"params":{} """, "ERR_PAYLOAD_FIELD_INVALID: deadlineMs must be a whole number above 0")]
    [InlineData(""" "params":7,"priority":"normal" """, "ERR_PAYLOAD_FIELD_INVALID: params must be an object")]
    [InlineData(""" "idempotencyKey":"","deadlineMs":5 """, "ERR_PAYLOAD_FIELD_INVALID: idempotencyKey must be 1 to 256 characters")]
    [InlineData(""" "priority":"soon","idempotencyKey":"k" """, "ERR_PAYLOAD_FIELD_INVALID: priority must be normal or urgent")]
    public void A_member_that_breaks_its_rule_is_told_whatever_follows_it(string members, string? refusal) =>
        Assert.Equal(refusal, CommandRequestPayload.Read(Bytes($$"""{"command":"c",{{members}}}"""), out _)?.Text);

    [Theory]
    [InlineData(1, true)]
    [InlineData(256, true)]
    [InlineData(257, false)]
    public void An_idempotency_key_has_1_to_256_characters(int length, bool taken) =>
        Assert.Equal(taken, CommandRequestPayload.Read(Bytes($$"""{"command":"c","idempotencyKey":"{{new string('k', length)}}"}"""), out _) is null);

    [Fact]
    public void As_many_targets_as_there_may_be_are_taken()
    {
        var targets = string.Join(',', Enumerable.Range(0, CommandRequestPayload.MaxTargets).Select(i => $"\"d{i}\""));
        Assert.Null(CommandRequestPayload.Read(Bytes($$"""{"command":"c","targets":[{{targets}}]}"""), out var read));
        Assert.Equal(CommandRequestPayload.MaxTargets, read.Targets!.Count);
    }

    [Theory]
    [InlineData("""{"commandId":"x","status":"SUCCESS","result":{"a":[1,2]}}""", CommandStatus.Success, """{"a":[1,2]}""", null)]
    [InlineData("""{"commandId":"x","status":"FAILED","result":null,"error":"no"}""", CommandStatus.Failed, "", "no")]
    [InlineData("""{"commandId":"x","status":"FAILED","error":{"code":7}}""", CommandStatus.Failed, "", """{"code":7}""")]
    [InlineData("""{"commandId":"x","status":"UNKNOWN","error":null}""", CommandStatus.Unknown, "", null)]
    public void Every_member_of_a_result_is_read(string payload, CommandStatus status, string result, string? error)
    {
        Assert.Null(CommandResultPayload.Read(Bytes(payload), out var read));
        Assert.Equal(("x", status, result, error), (read.CommandId, read.Status, Encoding.UTF8.GetString(read.Result.Span), read.Error));
    }

    [Theory]
    [InlineData("""{"commandId":"x"}""", 0L)]
    [InlineData("""{"commandId":"x","waitMs":null}""", 0L)]
    [InlineData("""{"commandId":"x","waitMs":0}""", 0L)]
    [InlineData("""{"commandId":"x","waitMs":1234}""", 1_234L)]
    [InlineData("""{"commandId":"x","waitMs":30001}""", 30_000L)]
    public void A_wait_is_read_and_shortened_to_the_longest(string payload, long waitMs)
    {
        Assert.Null(CommandQueryPayload.Read(Bytes(payload), out var read));
        Assert.Equal(("x", waitMs), (read.CommandId, read.WaitMs));
    }

    [Theory]
    [InlineData("-1")]
    [InlineData("0.5")]
    [InlineData("true")]
    public void A_wait_that_is_no_whole_number_is_refused(string waitMs) =>
        Assert.Equal(ErrorCodes.PayloadFieldInvalid, CommandQueryPayload.Read(Bytes($$"""{"commandId":"x","waitMs":{{waitMs}}}"""), out _)?.Error);

    [Fact]
    public void A_greeting_says_what_it_was_told()
    {
        var told = new Greeting(Greeting.Kernel, "w", "n", 7);
        Assert.Equal(told, Greeting.TryRead(told.ToBytes()));
        Assert.Equal(new Greeting(null), Greeting.TryRead(new Greeting(null).ToBytes()));
        Assert.Equal("""{"version":"0.2.0","role":"caller"}""", Encoding.UTF8.GetString(new Greeting(Greeting.Caller).ToBytes()));
        Assert.Equal(new Greeting(null), Greeting.TryRead(default));
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("7")]
    [InlineData("{")]
    [InlineData("not json")]
    public void Bytes_that_are_no_greeting_are_none(string bytes) => Assert.Null(Greeting.TryRead(Bytes(bytes)));

    [Theory]
    [InlineData("""{"epoch":"7","role":7,"workerId":null}""")]
    [InlineData("""{"epoch":1.5}""")]
    [InlineData("""{"epoch":1e99,"more":{}}""")]
    public void A_member_of_a_greeting_that_is_something_else_counts_as_not_said(string bytes) => Assert.Equal(new Greeting(null), Greeting.TryRead(Bytes(bytes)));

    [Theory]
    [InlineData("plain-id_1.2:3/4@5#6")]
    [InlineData("with \"quotes\"")]
    [InlineData("wörker")]
    [InlineData("a<b>&c")]
    [InlineData("line\nbreak")]
    public void A_text_is_written_as_JSON_writes_it_and_read_back(string text)
    {
        var wire = Utf8Text.From(text);
        Assert.Equal(text, wire.Decode());
        Assert.Equal(text, wire.ToString());
        Assert.Equal(text, System.Text.Json.JsonSerializer.Deserialize<string>($"\"{Encoding.UTF8.GetString(wire.Raw.Span)}\""));
        Assert.Equal(text.All(char.IsAsciiLetterOrDigit) || text == "plain-id_1.2:3/4@5#6", !wire.Escaped);
    }

    [Fact]
    public void No_text_is_empty()
    {
        Assert.True(Utf8Text.From(null).IsEmpty);
        Assert.True(Utf8Text.From("").IsEmpty);
        Assert.Null(Utf8Text.From(null).Decode());
        Assert.Equal("", Utf8Text.From(null).ToString());
    }

    [Fact]
    public void An_identity_names_each_device_once_and_says_its_features()
    {
        Assert.Null(IdentityPayload.Read(Bytes($$"""{"workerId":"w","devices":[{"deviceId":"b"},{"deviceId":"a"},{"deviceId":"b"}],"features":["journal",7,"x"],"journal":["b",null,"","a","{{new string('x', Greeting.MaxIdLength + 1)}}"]}"""), out var identity));
        Assert.Equal("w", identity!.WorkerId);
        Assert.Equal(["b", "a"], identity.Devices);
        Assert.Equal(["journal", "x"], identity.Features);
        Assert.Equal(["b", "a"], identity.Journal);
        Assert.Null(IdentityPayload.Read(Bytes("""{"workerId":"w","devices":[]}"""), out identity));
        Assert.Empty(identity!.Features);
        Assert.Empty(identity.Journal);
    }

    [Fact]
    public void What_a_Worker_answers_is_read_as_what_it_is()
    {
        Assert.Null(PayloadRules.ReadContract(Bytes("""{"contract":{"metadata":{"a":1},"capabilities":{"b":2}}}"""), out var contract));
        Assert.Equal("""{"metadata":{"a":1},"capabilities":{"b":2}}""", Encoding.UTF8.GetString(contract.Span));
        Assert.NotNull(PayloadRules.ReadContract(Bytes("""{"contract":{"capabilities":{"b":2}}}"""), out _));
        Assert.NotNull(PayloadRules.ReadContract(Bytes("""{"contract":{"metadata":{"a":1}}}"""), out _));
        Assert.NotNull(PayloadRules.ReadContract(Bytes("{}"), out _));
        Assert.Null(PayloadRules.ReadState(Bytes("""{"more":[1],"state":{"d":{"on":true}}}"""), out var state));
        Assert.Equal("""{"d":{"on":true}}""", Encoding.UTF8.GetString(state.Span));
        Assert.Null(PayloadRules.ReadHealth(Bytes("""{"status":"ok"}"""), out var status));
        Assert.Equal("ok", status);
        Assert.Null(PayloadRules.ReadWorkerId(Bytes("""{"workerId":"w"}"""), out var workerId));
        Assert.Equal("w", workerId);
        Assert.NotNull(PayloadRules.ReadWorkerId(Bytes("""{"workerId":7}"""), out _));
    }

    [Theory]
    [InlineData("none", CircuitHold.None)]
    [InlineData("open", CircuitHold.Open)]
    [InlineData("closed", CircuitHold.Closed)]
    public void A_hold_is_read_and_written_by_its_word(string word, CircuitHold hold)
    {
        Assert.Null(PayloadRules.ReadHold(Bytes($$"""{"workerId":"w","hold":"{{word}}"}"""), out var workerId, out var read));
        Assert.Equal(("w", hold), (workerId, read));
        Assert.Equal(word, CircuitHolds.Of(hold));
    }

    [Fact]
    public void Every_word_of_the_protocol_is_read_and_written_as_itself()
    {
        foreach (var status in Enum.GetValues<CommandStatus>().Where(static status => status != CommandStatus.None))
        {
            Assert.Equal(status.ToString().ToUpperInvariant(), CommandWords.Of(status));
            Assert.Equal(status, CommandWords.Status(CommandWords.Of(status)));
            Assert.Equal(status is CommandStatus.Success or CommandStatus.Failed, CommandWords.IsTerminal(status));
        }

        foreach (var scope in Enum.GetValues<CommandScope>()) Assert.Equal((scope, scope.ToString().ToLowerInvariant()), (CommandWords.Scope(CommandWords.Of(scope)), CommandWords.Of(scope)));
        foreach (var outcome in Enum.GetValues<CommandOutcome>()) Assert.Equal(outcome, CommandWords.Outcome(CommandWords.Of(outcome)));
        Assert.Equal([null, "not-started", "failed", "unknown"], Enum.GetValues<CommandOutcome>().Select(CommandWords.Of));
        Assert.Equal((CommandStatus.None, CommandOutcome.None), (CommandWords.Status("SOON"), CommandWords.Outcome("perhaps")));
    }

    [Theory]
    [InlineData("boolean", "true", "7")]
    [InlineData("object", "{}", "[]")]
    [InlineData("string", "\"x\"", "true")]
    [InlineData("number", "0.5", "\"x\"")]
    [InlineData("whatever", "[null]", null)]
    public void A_parameter_is_of_its_type(string type, string right, string? wrong)
    {
        Assert.Null(WorkerContract.Read(Bytes("""{"metadata":{},"capabilities":{"commands":[{"name":"c","params":[{"name":"p","type":"TYPE"}]}]}}""".Replace("TYPE", type, StringComparison.Ordinal)), out var contract));
        Assert.Null(contract!.Find("c")!.Check(Bytes("{\"p\":" + right + "}")));
        if (wrong is not null) Assert.Equal(ErrorCodes.ParamType, contract.Find("c")!.Check(Bytes("{\"p\":" + wrong + "}"))?.Error);
    }

    [Fact]
    public void The_least_and_the_most_of_a_range_are_in_it()
    {
        Assert.Null(WorkerContract.Read("""{"metadata":{"deviceFamily":"f"},"capabilities":{"commands":[{"name":"c","params":[{"name":"p","type":"number","min":1,"max":2}]}]}}"""u8.ToArray(), out var contract));
        Assert.Equal("f", contract!.DeviceFamily);
        foreach (var (value, taken) in new[] { ("1", true), ("2", true), ("0.99", false), ("2.01", false) }) Assert.Equal(taken, contract.Find("c")!.Check(Bytes("{\"p\":" + value + "}")) is null);
    }

    private static byte[] Bytes(string json) => Encoding.UTF8.GetBytes(json);
}
