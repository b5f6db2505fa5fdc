using Ork.Protocol;

namespace Ork.Worker.Tests;

/// <summary>Who a Worker says that it is, and what it lets pass.</summary>
public sealed class WorkerTests : IAsyncDisposable
{
    private readonly WorkerHarness _worker = new();

    public ValueTask DisposeAsync() => _worker.DisposeAsync();

    [Fact]
    public async Task It_greets_with_its_id_and_answers_who_it_is_and_what_it_can()
    {
        var kernel = await _worker.LinkAsync(_worker.Define());
        var identity = await _worker.AskAsync(kernel, OrkAction.IdentityRequest);
        Assert.Equal("w", identity.GetProperty("workerId").GetString());
        Assert.Equal(["d1", "d2"], identity.GetProperty("devices").EnumerateArray().Select(device => device.GetProperty("deviceId").GetString()));
        Assert.Equal(0, identity.GetProperty("features").GetArrayLength());
        Assert.Equal(0, identity.GetProperty("journal").GetArrayLength());
        Assert.True((await _worker.AskAsync(kernel, OrkAction.CapabilityRequest)).GetProperty("contract").TryGetProperty("capabilities", out _));
        Assert.Equal("ok", (await _worker.AskAsync(kernel, OrkAction.HealthPing)).GetProperty("status").GetString());
        Assert.Equal("d1", (await _worker.AskAsync(kernel, OrkAction.StatePull, deviceId: "d1")).GetProperty("state").GetProperty("of").GetString());
        Assert.Equal("d2", (await _worker.AskAsync(kernel, OrkAction.StatePull)).GetProperty("state").GetProperty("d2").GetProperty("of").GetString());
    }

    [Fact]
    public async Task A_handler_that_returns_too_much_harms_nobody_and_its_success_stays_one()
    {
        var kernel = await _worker.LinkAsync(_worker.Define());
        var answer = await _worker.CommandAsync(kernel, "c1", "big", 1);
        Assert.Equal(("SUCCESS", "ERR_HANDLER_RESULT_TOO_LARGE"), (answer.GetProperty("status").GetString(), answer.GetProperty("result").GetProperty("error").GetString()));
        var telemetry = await _worker.AskAsync(kernel, OrkAction.TelemetryPull, """{"query":{"type":"logs"}}""");
        Assert.Equal("ERR_HANDLER_RESULT_TOO_LARGE", telemetry.GetProperty("error").GetString());
    }

    [Fact]
    public void A_definition_refuses_what_its_contract_lacks()
    {
        Assert.Throws<ArgumentException>(() => _worker.Define().OnCommand("nope", (_, _) => new(CommandReply.Success())));
        Assert.Throws<ArgumentException>(() => _worker.Define().OnTelemetry("nope", (_, _) => new(new { })));
        Assert.Throws<ArgumentException>(() => WorkerDefinition.ContractOf(new { }));
    }
}
