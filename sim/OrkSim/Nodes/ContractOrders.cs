using System.Text.Json;
using Ork.Protocol;

namespace OrkSim;

/// <summary>Draws commands from any Worker's contract: one of its commands, with parameters that the contract allows.</summary>
internal static class ContractOrders
{
    internal static (string Command, object? Params) Draw(WorkerContract contract, Draws draws)
    {
        var names = contract.Commands.Keys.Order(StringComparer.Ordinal).ToArray();
        if (names.Length == 0) throw new ScenarioException("The Worker's contract has no commands: there is nothing to try.");
        var command = contract.Find(draws.Of(names))!;
        var parameters = new SortedDictionary<string, object>(StringComparer.Ordinal);
        foreach (var param in command.Params)
        {
            if (param.Required || draws.Pick(DrawKind.Pick, 2) == 0) parameters.Add(param.Name, Value(param, draws));
        }

        return (command.Name, parameters.Count == 0 ? null : parameters);
    }

    private static object Value(ParamContract param, Draws draws)
    {
        if (param.Allowed is { Count: > 0 } allowed) return JsonElement.Parse(draws.Of(allowed));
        return param.Type switch
        {
            ParamType.Number => Number(param, draws),
            ParamType.Boolean => draws.Pick(DrawKind.Pick, 2) == 0,
            ParamType.Object => new SortedDictionary<string, object>(StringComparer.Ordinal),
            _ => $"text {draws.Pick(DrawKind.Pick, 10)}",
        };
    }

    /// <summary>The ends of what is allowed as often as what lies between.</summary>
    private static double Number(ParamContract param, Draws draws)
    {
        var least = param.Min ?? 0;
        var most = param.Max ?? Math.Max(least, 100);
        return draws.Pick(DrawKind.Pick, 4) switch
        {
            0 => least,
            1 => most,
            _ => Math.Floor(least + ((most - least) * draws.Pick(DrawKind.Pick, 101) / 100)) is var between && between >= least ? between : least,
        };
    }
}
