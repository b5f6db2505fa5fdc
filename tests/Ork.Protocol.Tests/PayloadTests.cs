using System.Text;

namespace Ork.Protocol.Tests;

public sealed class PayloadTests
{
    [Theory]
    [InlineData(OrkAction.CommandRequest, "", "ERR_PAYLOAD_NOT_OBJECT")]
    [InlineData(OrkAction.CommandRequest, "{}", "ERR_PAYLOAD_COMMAND_REQUIRED")]
    [InlineData(OrkAction.CommandRequest, """{"command":""}""", "ERR_PAYLOAD_COMMAND_REQUIRED")]
    [InlineData(OrkAction.CommandRequest, """{"command":"c","scope":"planet"}""", "ERR_PAYLOAD_SCOPE_INVALID")]
    [InlineData(OrkAction.CommandRequest, """{"command":"c","scope":"worker"}""", "ERR_PAYLOAD_WORKER_ID_REQUIRED")]
    [InlineData(OrkAction.CommandRequest, """{"command":"c","scope":"rack","workerId":""}""", "ERR_PAYLOAD_WORKER_ID_REQUIRED")]
    [InlineData(OrkAction.CommandRequest, """{"command":"c","workerId":7}""", "ERR_PAYLOAD_WORKER_ID_INVALID")]
    [InlineData(OrkAction.CommandRequest, """{"command":"c","targets":"d"}""", "ERR_PAYLOAD_TARGETS_INVALID")]
    [InlineData(OrkAction.CommandRequest, """{"command":"c","targets":["a",""]}""", "ERR_PAYLOAD_TARGET_INVALID at index 1")]
    [InlineData(OrkAction.CommandRequest, """{"command":"c","params":[]}""", "ERR_PAYLOAD_FIELD_INVALID: params must be an object")]
    [InlineData(OrkAction.CommandRequest, """{"command":"c","deadlineMs":-1}""", "ERR_PAYLOAD_FIELD_INVALID: deadlineMs must be a whole number above 0")]
    [InlineData(OrkAction.CommandRequest, """{"command":"c","idempotencyKey":""}""", "ERR_PAYLOAD_FIELD_INVALID: idempotencyKey must be 1 to 256 characters")]
    [InlineData(OrkAction.CommandRequest, """{"command":"c","params":{"a":1},"targets":[],"scope":"device","workerId":"w"}""", null)]
    [InlineData(OrkAction.CommandRequest, """{"command":"c","params":null,"targets":null,"scope":null,"workerId":null,"deadlineMs":null}""", null)]
    [InlineData(OrkAction.CommandStatus, "{}", "ERR_PAYLOAD_COMMAND_ID_REQUIRED")]
    [InlineData(OrkAction.CommandStatus, """{"commandId":"x","waitMs":"long"}""", "ERR_PAYLOAD_FIELD_INVALID: waitMs must be a whole number, 0 or above")]
    [InlineData(OrkAction.CommandCancel, """{"commandId":7}""", "ERR_PAYLOAD_COMMAND_ID_REQUIRED")]
    [InlineData(OrkAction.CommandResult, """{"status":"SUCCESS"}""", "ERR_PAYLOAD_COMMAND_ID_REQUIRED")]
    [InlineData(OrkAction.CommandResult, """{"commandId":"x"}""", "ERR_PAYLOAD_STATUS_REQUIRED")]
    [InlineData(OrkAction.CommandResult, """{"commandId":"x","status":"QUEUED"}""", "ERR_PAYLOAD_STATUS_INVALID")]
    [InlineData(OrkAction.CommandResult, """{"commandId":"x","status":"UNKNOWN"}""", null)]
    [InlineData(OrkAction.CommandStatusResponse, """{"commandId":"x","status":"NOPE"}""", "ERR_PAYLOAD_STATUS_INVALID")]
    [InlineData(OrkAction.CommandStatusResponse, """{"commandId":"x","status":"QUEUED"}""", null)]
    [InlineData(OrkAction.CommandCancelResponse, """{"commandId":"x"}""", "ERR_PAYLOAD_CANCELLED_REQUIRED")]
    [InlineData(OrkAction.CommandCancelResponse, """{"commandId":"x","cancelled":false}""", null)]
    [InlineData(OrkAction.IdentityResponse, """{"devices":[]}""", "ERR_PAYLOAD_WORKER_ID_REQUIRED")]
    [InlineData(OrkAction.IdentityResponse, """{"workerId":"w"}""", "ERR_PAYLOAD_DEVICES_REQUIRED")]
    [InlineData(OrkAction.IdentityResponse, """{"workerId":"w","devices":[{"name":"x"}]}""", "ERR_PAYLOAD_DEVICES_REQUIRED")]
    [InlineData(OrkAction.IdentityResponse, """{"workerId":"w","devices":[{"deviceId":"d"}]}""", null)]
    [InlineData(OrkAction.CapabilityResponse, """{"contract":{"metadata":{}}}""", "ERR_PAYLOAD_CONTRACT_REQUIRED")]
    [InlineData(OrkAction.StateResponse, """{"state":[]}""", "ERR_PAYLOAD_STATE_REQUIRED")]
    [InlineData(OrkAction.HealthPong, "{}", "ERR_PAYLOAD_STATUS_REQUIRED")]
    [InlineData(OrkAction.TelemetryPull, "{}", "ERR_QUERY_INVALID")]
    [InlineData(OrkAction.TelemetryPull, """{"query":{"type":"secrets"}}""", "ERR_QUERY_INVALID")]
    [InlineData(OrkAction.TelemetryPull, """{"query":{"type":"logs"}}""", null)]
    [InlineData(OrkAction.TelemetryPull, """{"query":{"type":"logs","type":"secrets"}}""", "ERR_QUERY_INVALID")]
    [InlineData(OrkAction.WorkerTerminate, "{}", "ERR_PAYLOAD_WORKER_ID_REQUIRED")]
    public void A_payload_is_refused_with_the_first_rule_it_breaks(OrkAction action, string payload, string? expected) =>
        Assert.Equal(expected, PayloadRules.Check(new Envelope { Action = action, Payload = Encoding.UTF8.GetBytes(payload) })?.Text);

    [Fact]
    public void Names_of_commands_are_taken_as_they_are_written_and_of_two_alike_the_later_counts()
    {
        var json = """{"metadata":{},"capabilities":{"commands":[{"name":"setMode","params":[{"name":"a"}]},{"name":"setmode"},{"name":"setMode"}]}}"""u8.ToArray();
        Assert.Null(WorkerContract.Read(json, out var contract));
        Assert.Equal(["setMode", "setmode"], contract!.Commands.Keys.Order(StringComparer.Ordinal));
        Assert.Null(contract.Find("SetMode"));
        Assert.Empty(contract.Find("setMode")!.Params);
    }

    [Fact]
    public void More_than_1024_targets_are_too_many()
    {
        var targets = string.Join(',', Enumerable.Range(0, 1025).Select(i => $"\"d{i}\""));
        var refusal = CommandRequestPayload.Read(Encoding.UTF8.GetBytes($$"""{"command":"c","targets":[{{targets}}]}"""), out _);
        Assert.Equal("ERR_PAYLOAD_TARGETS_TOO_MANY", refusal?.Text);
    }

    [Theory]
    [InlineData("""{}""", "ERR_PARAM_REQUIRED: mode")]
    [InlineData("""{"mode":7}""", "ERR_PARAM_TYPE: mode must be string")]
    [InlineData("""{"mode":"warp"}""", "ERR_PARAM_ENUM: mode")]
    [InlineData("""{"mode":"low","pct":"x"}""", "ERR_PARAM_TYPE: pct must be number")]
    [InlineData("""{"mode":"low","pct":9.99}""", "ERR_PARAM_RANGE: pct below min 10")]
    [InlineData("""{"mode":"low","pct":111}""", "ERR_PARAM_RANGE: pct above max 110.5")]
    [InlineData("""{"mode":"low","pct":1e999}""", "ERR_PARAM_RANGE: pct above max 110.5")]
    [InlineData("""{"mode":"low","pct":110.5,"other":[1]}""", null)]
    public void A_parameter_is_held_against_the_contract(string parameters, string? expected)
    {
        var contract = """
            {"metadata":{"deviceFamily":"miner"},"capabilities":{"commands":{"set":{"idempotent":true,"timeoutMs":1500,"params":[
              {"name":"mode","type":"string","required":true,"enum":["low","high"]},{"name":"pct","type":"number","min":10,"max":110.5}]}}}}
            """;
        Assert.Null(WorkerContract.Read(Encoding.UTF8.GetBytes(contract), out var read));
        var command = read!.Find("set")!;
        Assert.True(command.Idempotent);
        Assert.Equal(1500, command.TimeoutMs);
        Assert.Equal(expected, command.Check(Encoding.UTF8.GetBytes(parameters))?.Text);
    }

    [Fact]
    public void A_contract_may_list_its_commands_or_key_them_by_name()
    {
        Assert.Null(WorkerContract.Read("""{"metadata":{},"capabilities":{"commands":[{"name":"a"},{"name":"b","idempotent":true}]}}"""u8.ToArray(), out var list));
        Assert.Equal(["a", "b"], list!.Commands.Keys.Order());
        Assert.False(list.Find("a")!.Idempotent);
        Assert.Null(WorkerContract.Read("""{"metadata":{},"capabilities":{"commands":{"setFan":{},"setfan":{"idempotent":true}}}}"""u8.ToArray(), out var keyed));
        Assert.Equal((false, true), (keyed!.Find("setFan")!.Idempotent, keyed.Find("setfan")!.Idempotent));
    }

    [Theory]
    [InlineData("1500", 1500L)]
    [InlineData("1", 1L)]
    [InlineData("86400000", 86_400_000L)]
    [InlineData("0", null)]
    [InlineData("-5", null)]
    [InlineData("86400001", null)]
    [InlineData("1e300", null)]
    [InlineData("\"1500\"", null)]
    public void A_contracts_time_for_an_attempt_is_a_millisecond_to_a_day_or_none(string declared, long? expected)
    {
        var contract = $$$"""{"metadata":{},"capabilities":{"commands":[{"name":"a","timeoutMs":{{{declared}}}}]}}""";
        Assert.Null(WorkerContract.Read(Encoding.UTF8.GetBytes(contract), out var read));
        Assert.Equal(expected, read!.Find("a")!.TimeoutMs);
    }

    [Fact]
    public void Every_error_code_has_a_sentence_and_stands_once()
    {
        Assert.All(ErrorCodes.All, error =>
        {
            Assert.Matches("^ERR_[A-Z_]+$", error.Code);
            Assert.EndsWith(".", error.Sentence, StringComparison.Ordinal);
            Assert.Equal(error.Sentence, ErrorCodes.SentenceOf(error.Code + ": with detail"));
        });
        Assert.Null(ErrorCodes.SentenceOf("OUT_OF_COFFEE"));
    }
}
