using System.Collections.Concurrent;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Operations;
using Ork.Analyzers.Apis;
using Ork.Analyzers.Kernel;

namespace Ork.Analyzers.Tables;

/// <summary>Collects what every configuration in a compilation says, and judges each machine's table at the end.</summary>
internal sealed class TableReader(RoleReader roles)
{
    /// <summary>States as their values; <see cref="Every"/> for all of them.</summary>
    private static readonly object Every = new();

    private readonly ConcurrentBag<Line> _lines = [];
    private readonly ConcurrentBag<(IParameterSymbol Parameter, object? State)> _passed = [];

    private enum What
    {
        /// <summary>The state is configured at all.</summary>
        Configure,

        /// <summary>The trigger leads to another state.</summary>
        Leave,

        /// <summary>The trigger is handled, and the state stays.</summary>
        Stay,

        /// <summary>The state has another around it.</summary>
        Within,

        /// <summary>Something else is said of the state.</summary>
        Other,

        /// <summary>It cannot be read.</summary>
        Unknown,
    }

    internal void Call(OperationAnalysisContext context)
    {
        var call = (IInvocationOperation)context.Operation;
        var method = call.TargetMethod;
        foreach (var argument in call.Arguments)
        {
            if (argument.Parameter is { } parameter && IsConfiguration(parameter.Type) && argument.Parameter.Locations.Any(location => location.IsInSource))
            {
                foreach (var state in StatesOf(argument.Value)) _passed.Add((parameter.OriginalDefinition, state));
            }
        }

        if (method.Name == "Configure" && Machines.IsStateless(method.ContainingType))
        {
            foreach (var state in ValuesOf(call.Arguments[0].Value))
            {
                Add(context, call, method.ContainingType, IsBare(call) ? What.Configure : What.Other, state, null);
            }
        }
        else if (IsConfiguration(method.ContainingType) && call.Instance is { } instance)
        {
            ReadLine(context, call, instance);
        }
    }

    internal void End(CompilationAnalysisContext context)
    {
        foreach (var machine in _lines.GroupBy(line => line.Machine, (IEqualityComparer<ISymbol>)SymbolEqualityComparer.Default))
        {
            var lines = machine.SelectMany(Resolve).OrderBy(line => line.At.SourceTree?.FilePath, StringComparer.Ordinal).ThenBy(line =>
                line.At.SourceSpan.Start).ToArray();
            if (lines.Any(line => line.What == What.Unknown || line.State is null || (line.What is What.Leave or What.Stay && line.Trigger is null))) continue;
            Judge(context, (INamedTypeSymbol)machine.Key, lines);
        }
    }

    private static void Judge(CompilationAnalysisContext context, INamedTypeSymbol machine, Line[] lines)
    {
        if (machine.TypeArguments is not [{ TypeKind: TypeKind.Enum } states, { TypeKind: TypeKind.Enum } triggers]) return;
        var at = lines[0].At;
        foreach (var trigger in MembersOf(triggers))
        {
            if (!lines.Any(line => line.What is What.Leave or What.Stay && Equals(line.Trigger, trigger.ConstantValue)))
                Tell(context, at, trigger, $"No state handles the trigger {triggers.Name}.{trigger.Name}: permit or ignore it somewhere, or remove it");
        }

        foreach (var state in MembersOf(states))
        {
            if (IsLeft(state.ConstantValue, lines, []) || IsTerminal(state, lines)) continue;
            Tell(context, at, state, $"No trigger leaves the state {states.Name}.{state.Name}: permit one, or declare it terminal with a bare Configure({states.Name}.{state.Name})");
        }
    }

    private static void Tell(CompilationAnalysisContext context, Location at, IFieldSymbol member, string says) =>
        context.ReportDiagnostic(Diagnostic.Create(Rules.IncompleteMachine.Descriptor, at, member.Locations.Where(location => location.IsInSource), says));

    private static bool IsLeft(object? state, Line[] lines, HashSet<object> seen)
    {
        if (state is null || !seen.Add(state)) return false;
        return lines.Any(line => (line.State == Every || Equals(line.State, state))
            && ((line.What == What.Leave && (line.State == Every || !Equals(line.Other, state)))
                || (line.What == What.Within && (line.Other is null || IsLeft(line.Other, lines, seen)))));
    }

    private static bool IsTerminal(IFieldSymbol state, Line[] lines) => lines.Any(line => line.What == What.Configure && Equals(line.State, state.ConstantValue))
        || state.GetAttributes().Any(attribute => attribute.AttributeClass is { Name: "OrkTerminalAttribute", ContainingNamespace.Name: "Ork" });

    private static IEnumerable<IFieldSymbol> MembersOf(ITypeSymbol type) => type.GetMembers().OfType<IFieldSymbol>().Where(field => field.HasConstantValue);

    /// <summary>A line about a configuration that a helper was handed holds for each it was handed.</summary>
    private IEnumerable<Line> Resolve(Line line)
    {
        if (line.State is not IParameterSymbol parameter) return [line];
        var states = StatesPassed(parameter, []).ToArray();
        return states.Length == 0 ? [line with { What = What.Unknown }] : states.Select(state => line with { State = state });
    }

    private IEnumerable<object?> StatesPassed(IParameterSymbol parameter, HashSet<ISymbol> seen)
    {
        if (!seen.Add(parameter)) return [];
        return _passed.Where(passed => SymbolEqualityComparer.Default.Equals(passed.Parameter, parameter))
            .SelectMany(passed => passed.State is IParameterSymbol further ? StatesPassed(further, seen) : [passed.State]);
    }

    private void ReadLine(OperationAnalysisContext context, IInvocationOperation call, IOperation instance)
    {
        var machine = (INamedTypeSymbol)call.TargetMethod.ContainingType.ContainingType;
        var name = call.TargetMethod.Name;
        var what = name switch
        {
            "PermitReentry" or "PermitReentryIf" => What.Stay,
            "SubstateOf" => What.Within,
            _ when name.StartsWith("Permit", StringComparison.Ordinal) => What.Leave,
            _ when name.StartsWith("Ignore", StringComparison.Ordinal)
                || (name.StartsWith("Internal", StringComparison.Ordinal) && call.Arguments.Length > 0) => What.Stay,
            _ => What.Other,
        };
        foreach (var state in StatesOf(instance))
        {
            if (what is What.Leave or What.Stay)
            {
                var other = call.Arguments.FirstOrDefault(argument => argument.Parameter?.Name == "destinationState")?.Value.ConstantValue.Value;
                foreach (var trigger in TriggersOf(call)) Add(context, call, machine, what, state, trigger, other);
            }
            else
            {
                Add(context, call, machine, what, state, null, what == What.Within ? call.Arguments[0].Value.ConstantValue.Value : null);
            }
        }
    }

    private void Add(OperationAnalysisContext context, IInvocationOperation call, INamedTypeSymbol machine, What what, object? state, object? trigger,
        object? other = null)
    {
        if ((Rules.IncompleteMachine.Roles & roles.Of(context.ContainingSymbol)) != 0) _lines.Add(new Line(machine, what, state, trigger, other,
            call.Syntax.GetLocation()));
    }

    /// <summary>The states a configuration is of: found by going back to where it was begun.</summary>
    private static IEnumerable<object?> StatesOf(IOperation configuration)
    {
        var at = Uses.Unwrap(configuration);
        while (true)
        {
            switch (at)
            {
                case IInvocationOperation { TargetMethod.Name: "Configure" } begun when Machines.IsStateless(begun.TargetMethod.ContainingType):
                    return ValuesOf(begun.Arguments[0].Value);
                case IInvocationOperation { Instance: { } instance } call when IsConfiguration(call.TargetMethod.ContainingType):
                    at = Uses.Unwrap(instance);
                    continue;
                case IInvocationOperation { Arguments: [{ Parameter.Type: { } type } first, ..] } when IsConfiguration(type):
                    at = Uses.Unwrap(first.Value);
                    continue;
                case IParameterReferenceOperation { Parameter: var parameter }:
                    return [parameter.OriginalDefinition];
                case ILocalReferenceOperation { Local: var local } when local.DeclaredValue(at) is { } initializer:
                    at = Uses.Unwrap(initializer);
                    continue;
                case ISimpleAssignmentOperation assignment:
                    at = Uses.Unwrap(assignment.Value);
                    continue;
                default:
                    return [null];
            }
        }
    }

    private static IEnumerable<object?> TriggersOf(IInvocationOperation call)
    {
        var trigger = call.Arguments.FirstOrDefault(argument => argument.Parameter?.Name == "trigger")?.Value ?? (call.Arguments.Length > 0
            ? call.Arguments[0].Value : null);
        return trigger is null ? [null] : ValuesOf(trigger);
    }

    /// <summary>The constants an expression may be: itself, what a loop goes through, or the trigger that a parameterised one wraps. Null where it cannot be told.</summary>
    private static IEnumerable<object?> ValuesOf(IOperation value)
    {
        value = Uses.Unwrap(value);
        if (value.ConstantValue is { HasValue: true, Value: { } constant }) return [constant];
        switch (value)
        {
            case ILocalReferenceOperation { Local: var local }:
                if (local.LoopOver(value) is { } loop) return ElementsOf(loop.Collection);
                return local.DeclaredValue(value) is { } initializer ? ValuesOf(initializer) : [null];
            case IInvocationOperation { TargetMethod.Name: "SetTriggerParameters" } set:
                return ValuesOf(set.Arguments[0].Value);
            case IFieldReferenceOperation { Field: { IsReadOnly: true } field }:
                return DeclaredValue(field, value.SemanticModel) is { } declared ? ValuesOf(declared) : [null];
            case IPropertyReferenceOperation { Property: var property }:
                return DeclaredValue(property, value.SemanticModel) is { } shown ? ValuesOf(shown) : [null];
            case IConditionalOperation { WhenFalse: { } otherwise } choice:
                return ValuesOf(choice.WhenTrue).Concat(ValuesOf(otherwise));
            default:
                return [null];
        }
    }

    private static IEnumerable<object?> ElementsOf(IOperation collection)
    {
        collection = Uses.Unwrap(collection);
        return collection switch
        {
            IArrayCreationOperation { Initializer: { } elements } => elements.ElementValues.SelectMany(ValuesOf),
            ICollectionExpressionOperation elements => elements.Elements.SelectMany(ValuesOf),
            IInvocationOperation { TargetMethod: { Name: "GetValues", ContainingType.Name: "Enum" } } => [Every],
            ILocalReferenceOperation { Local: var local } when local.DeclaredValue(collection) is { } initializer => ElementsOf(initializer),
            IFieldReferenceOperation { Field: { IsReadOnly: true } field } when DeclaredValue(field, collection.SemanticModel) is { } declared => ElementsOf(declared),
            _ => [null],
        };
    }

    private static IOperation? DeclaredValue(ISymbol member, SemanticModel? model)
    {
        foreach (var reference in member.DeclaringSyntaxReferences)
        {
            var syntax = reference.GetSyntax();
            var value = (syntax as Microsoft.CodeAnalysis.CSharp.Syntax.VariableDeclaratorSyntax)?.Initializer?.Value
                ?? (syntax as Microsoft.CodeAnalysis.CSharp.Syntax.PropertyDeclarationSyntax)?.Initializer?.Value;
            if (value is not null && model?.SyntaxTree == value.SyntaxTree) return model.GetOperation(value);
        }

        return null;
    }

    private static bool IsBare(IInvocationOperation call) => call.Parent is IExpressionStatementOperation;

    private static bool IsConfiguration(ITypeSymbol type) => type is INamedTypeSymbol { Name: "StateConfiguration", ContainingType: { } machine }
        && Machines.IsStateless(machine);

    private sealed record Line(INamedTypeSymbol Machine, What What, object? State, object? Trigger, object? Other, Location At);
}
