using System.Text.Json;
using Ork.Protocol;
using Ork.Worker;

namespace OrkSim;

/// <summary>What the simulated miners can do, and what people send them: orders that their contract allows, and some that it does not.</summary>
internal static class MinerContract
{
    internal const string Reboot = "reboot";
    internal const string SetPowerMode = "set-power-mode";

    /// <summary>How many draws <see cref="Setting"/> tells apart.</summary>
    internal const int Settings = 128;

    // What an order's parameters may be, and what they may not be, as people write them.
    private static readonly JsonElement[] Allowed =
    [
        .. new[]
        {
            """{"mode":"normal"}""", """{"mode":"sleep"}""", """{"mode":"normal","watts":500}""", """{"mode":"sleep","watts":3.5e3}""", """{"mode":"normal","watts":null,"gently":true}""",
            """{"mode":"high","schedule":{"until":"dawn"}}""", """{"mode":"sleep","note":["not in the contract"]}""", """{"mode":"n\u006frmal","gently":false,"watts":1200.5}""",
        }.Select(static json => JsonElement.Parse(json)),
    ];

    private static readonly JsonElement?[] Forbidden =
    [
        null,
        .. new[]
        {
            """{"mode":"overclock"}""", """{"watts":900}""", """{"mode":"normal","watts":499.9}""", """{"mode":"normal","watts":3501}""", """{"mode":"sleep","watts":"many"}""",
            """{"mode":"sleep","gently":1}""", """{"mode":7}""", """{"mode":"high","schedule":"none","watts":1e999}""",
        }.Select(static json => (JsonElement?)JsonElement.Parse(json)),
    ];

    /// <summary>The contract.</summary>
    /// <param name="timeouts">How long attempts may take, of a concrete scenario.</param>
    /// <param name="reboots">False: without the reboot.</param>
    internal static WorkerContract With(ContractTimeouts timeouts, bool reboots) => WorkerDefinition.ContractOf(new
    {
        metadata = new { provider = "orksim", deviceFamily = "miner", brand = "Model", modelsSupported = new[] { "M1" }, overview = "A simulated miner." },
        capabilities = new
        {
            telemetry = new[] { "metrics" },
            commands = ((object[])
            [
                new { name = Reboot, description = "Restarts the device.", idempotent = false, timeoutMs = MsOf(timeouts, Reboot), @params = Array.Empty<object>() },
                new
                {
                    name = SetPowerMode,
                    description = "Sets the power mode.",
                    idempotent = true,
                    timeoutMs = MsOf(timeouts, SetPowerMode),
                    @params = new object[]
                    {
                        new { name = "mode", type = "string", required = true, @enum = new[] { "normal", "sleep", "high" } },
                        new { name = "watts", type = "number", required = false, min = 500, max = 3500 },
                        new { name = "gently", type = "boolean", required = false },
                        new { name = "schedule", type = "object", required = false },
                    },
                },
            ]).Skip(reboots ? 0 : 1),
        },
    });

    /// <summary>How long an attempt may take in milliseconds, as the contract has it; null where it names no time.</summary>
    internal static long? MsOf(ContractTimeouts timeouts, string command) => (command == Reboot ? timeouts.Reboot : timeouts.SetPowerMode).Min is > 0 and var ms ? ms : null;

    /// <summary>The parameters of an order to set the power mode; few draws give what the contract forbids: null are none.</summary>
    internal static JsonElement? Setting(int draw) => draw < Settings - Forbidden.Length ? Allowed[draw % Allowed.Length] : Forbidden[Settings - 1 - draw];

    /// <summary>Whether the contract forbids an order, told without it: null where nobody knows.</summary>
    internal static bool? Forbids(string command, object? parameters) =>
        command == Reboot ? false : parameters is null || (parameters is JsonElement sent && Array.Exists(Forbidden, known => known is { } forbidden && JsonElement.DeepEquals(forbidden, sent))) ? true
        : parameters is JsonElement may && Array.Exists(Allowed, known => JsonElement.DeepEquals(known, may)) ? false : null;
}
