using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Operations;
using Ork.Analyzers.Apis;

namespace Ork.Analyzers.Bounds;

/// <summary>What a retry consists of: whether it ends, how long it pauses, and whether the pause differs from one to the next.</summary>
/// <param name="Whole">The loop, or the method that calls itself.</param>
/// <param name="Body">What is repeated.</param>
/// <param name="Varying">What changes from one try to the next.</param>
internal sealed record RetryShape(IOperation Whole, IOperation Body, ISet<ISymbol> Varying)
{
    private static readonly string[] Dials = ["Try", "Connect", "Reconnect", "Dial", "Send", "Retry", "Resend", "Open"];

    /// <summary>A loop that tries the same thing until it succeeds.</summary>
    internal static bool IsRetry(ILoopOperation loop)
    {
        if (loop is IForEachLoopOperation { Collection: var items }
            && Uses.Unwrap(items) is not IInvocationOperation { TargetMethod.Name: "Range" or "Repeat" }) return false;
        return Own(loop.Body).OfType<ITryOperation>().Any(attempt => IsRetry(loop, attempt)) || ConditionTries(loop) || LeavesWhenTried(loop);
    }

    /// <summary>What changes from one turn of a loop to the next.</summary>
    internal static ISet<ISymbol> Changed(ILoopOperation loop)
    {
        var changed = new HashSet<ISymbol>(SymbolEqualityComparer.Default);
        if (loop is IForEachLoopOperation { LoopControlVariable: IVariableDeclaratorOperation item }) changed.Add(item.Symbol);
        changed.UnionWith(ChangedIn(loop));
        return changed;
    }

    /// <summary>What is written somewhere in a piece of code.</summary>
    internal static ISet<ISymbol> ChangedIn(IOperation code)
    {
        var changed = new HashSet<ISymbol>(SymbolEqualityComparer.Default);
        foreach (var operation in code.Descendants())
        {
            var target = operation switch
            {
                IIncrementOrDecrementOperation step => step.Target,
                IAssignmentOperation { Parent: not IVariableInitializerOperation } assignment => assignment.Target,
                _ => null,
            };
            if (target is not null && SymbolOf(target) is { } symbol) changed.Add(symbol);
        }

        return changed;
    }

    /// <summary>Which of limit, backoff and jitter are missing.</summary>
    internal IReadOnlyList<string> Missing(ILoopOperation? loop)
    {
        var missing = new List<string>();
        var pauses = Body.Descendants().OfType<IInvocationOperation>().Where(IsPause).ToArray();
        var parts = pauses.SelectMany(pause => pause.Arguments.Select(argument => argument.Value)).SelectMany(value => Closure(value, [])).ToArray();
        if (!HasLimit(loop, pauses)) missing.Add("limit");
        if (!parts.Any(Grows)) missing.Add("backoff");
        if (!parts.Any(IsChance)) missing.Add("jitter");
        return missing;
    }

    private static bool IsRetry(ILoopOperation loop, ITryOperation attempt)
    {
        if (!attempt.Catches.Any(clause => GoesOn(clause, loop))
            || !Own(attempt.Body).Any(operation => operation is IAwaitOperation or IInvocationOperation)) return false;
        if (Own(attempt.Body).Any(operation => Leaves(operation, loop))) return true;
        if (attempt.Catches.Any(clause => Own(clause.Handler).OfType<IBranchOperation>().Any(branch => branch.BranchKind == BranchKind.Continue))
            && FollowedByLeaving(attempt, loop)) return true;
        var condition = ConditionOf(loop);
        return condition is not null && Own(attempt.Body).OfType<ISimpleAssignmentOperation>().Any(assignment => SymbolOf(assignment.Target) is { } flag
            && condition.DescendantsAndSelf().Any(part => SymbolEqualityComparer.Default.Equals(SymbolOf(part), flag)));
    }

    private static bool FollowedByLeaving(ITryOperation attempt, ILoopOperation loop) =>
        attempt.Parent is IBlockOperation block && block.Operations.SkipWhile(statement => statement != attempt).Skip(1)
            .Any(statement => statement is IReturnOperation || Leaves(statement, loop));

    /// <summary>A catch after which the loop goes round again.</summary>
    private static bool GoesOn(ICatchClauseOperation clause, ILoopOperation loop)
    {
        var last = clause.Handler.Operations.LastOrDefault();
        return last is not (IThrowOperation or IReturnOperation) && last is not IExpressionStatementOperation { Operation: IThrowOperation }
            && !(last is not null && Leaves(last, loop));
    }

    private static bool Leaves(IOperation operation, ILoopOperation loop) => operation is IReturnOperation
        || (operation is IBranchOperation branch && ((branch.BranchKind == BranchKind.Break
            && SymbolEqualityComparer.Default.Equals(branch.Target, loop.ExitLabel)) || branch.BranchKind == BranchKind.GoTo));

    /// <summary>A loop whose condition is the try: <c>while (!await TrySendAsync())</c>.</summary>
    private static bool ConditionTries(ILoopOperation loop)
    {
        if (ConditionOf(loop) is not { } condition) return false;
        foreach (var part in condition.DescendantsAndSelf())
        {
            if (part is not IUnaryOperation { OperatorKind: UnaryOperatorKind.Not, Operand: var tried }) continue;
            tried = Uses.Unwrap(tried);
            if (tried is IAwaitOperation { Operation: IInvocationOperation }) return true;
            if (SymbolOf(tried) is { } flag && Own(loop.Body).OfType<ISimpleAssignmentOperation>()
                .Any(assignment => SymbolEqualityComparer.Default.Equals(SymbolOf(assignment.Target), flag)
                && Uses.Unwrap(assignment.Value) is IAwaitOperation { Operation: var awaited } && IsTry(awaited))) return true;
        }

        return false;
    }

    /// <summary>A loop that returns once a try succeeded, and pauses otherwise.</summary>
    private static bool LeavesWhenTried(ILoopOperation loop) =>
        Own(loop.Body).OfType<IConditionalOperation>().Any(conditional =>
            conditional.Condition.DescendantsAndSelf().OfType<IAwaitOperation>().Any(awaits => IsTry(awaits.Operation))
            && (Own(conditional.WhenTrue).Append(conditional.WhenTrue).Any(operation => Leaves(operation, loop))))
        && Own(loop.Body).OfType<IInvocationOperation>().Any(IsPause);

    private static bool IsTry(IOperation awaited) => Uses.Unwrap(awaited) is IInvocationOperation { TargetMethod.Name: var name }
        && Dials.Any(verb => name.StartsWith(verb, StringComparison.Ordinal));

    private static IOperation? ConditionOf(ILoopOperation loop) => loop switch
    {
        IWhileLoopOperation { Condition: { } condition } => condition,
        IForLoopOperation { Condition: { } condition } => condition,
        _ => null,
    };

    private bool HasLimit(ILoopOperation? loop, IInvocationOperation[] pauses)
    {
        if (loop is IForEachLoopOperation) return true;
        if (loop is not null && ConditionOf(loop) is { } condition && condition.DescendantsAndSelf().Any(IsBound)) return true;
        foreach (var operation in Body.Descendants())
        {
            if (operation is ICatchClauseOperation { Filter: { } filter } && filter.DescendantsAndSelf().Any(IsBound)) return true;
            if (operation is IConditionalOperation conditional && conditional.Condition.DescendantsAndSelf().Any(IsBound)
                && (Ends(conditional.WhenTrue, loop) || (conditional.WhenFalse is { } otherwise && Ends(otherwise, loop)) || EndsElse(conditional, loop)))
                return true;
            if (operation is IInvocationOperation { TargetMethod.Name: "ThrowIfCancellationRequested" }) return true;
        }

        return pauses.Any(pause => !IsCaught(pause) && pause.Arguments.Any(argument => Uses.IsNamed(argument.Parameter?.Type, "CancellationToken")
            && argument.ArgumentKind == ArgumentKind.Explicit
            && Uses.Unwrap(argument.Value) is IParameterReferenceOperation or IFieldReferenceOperation or ILocalReferenceOperation or IPropertyReferenceOperation { Property.Name: "Token" }));
    }

    /// <summary>Where the way on stands inside the bound, what comes after it ends: <c>if (attempt &lt; most) { ... continue; } throw;</c></summary>
    private static bool EndsElse(IConditionalOperation conditional, ILoopOperation? loop) => conditional.WhenFalse is null
        && conditional.Parent is IBlockOperation block && block.Operations.SkipWhile(statement => statement != conditional).Skip(1)
            .Any(statement => Ends(statement, loop));

    private static bool Ends(IOperation statement, ILoopOperation? loop) =>
        Own(statement).Append(statement).Any(operation => operation is IThrowOperation || operation is IReturnOperation || (loop is not null && Leaves(operation, loop)));

    private static bool IsBound(IOperation operation) => operation switch
    {
        _ when operation.IsRelational() => true,
        IBinaryOperation { OperatorKind: BinaryOperatorKind.Equals or BinaryOperatorKind.NotEquals,
            LeftOperand.Type.SpecialType: >= SpecialType.System_SByte and <= SpecialType.System_UInt64 } => true,
        IPropertyReferenceOperation { Property.Name: "IsCancellationRequested" } => true,
        _ => false,
    };

    private static bool IsCaught(IOperation pause)
    {
        for (var at = pause.Parent; at is not null and not ILoopOperation; at = at.Parent)
        {
            if (at is ITryOperation attempt && attempt.Body.Descendants().Contains(pause)
                && attempt.Catches.Any(clause => clause.ExceptionType?.Name is "Exception" or "Object" or "OperationCanceledException")) return true;
        }

        return false;
    }

    private static bool IsPause(IInvocationOperation call) =>
        call.TargetMethod.Name is "Delay" or "DelayAsync" or "Sleep" or "SleepAsync" or "Pause" or "PauseAsync" or "BackoffAsync" or "WaitBeforeRetryAsync"
        || (call.TargetMethod is { Name: "Set", ContainingType.Name: "TimerWheel" })
        || (call.TargetMethod.Name.IndexOf("Backoff", StringComparison.Ordinal) >= 0 && call.TargetMethod.ReturnType.Name is "Task" or "ValueTask")
        || (call.TargetMethod.Name.StartsWith("Delay", StringComparison.Ordinal) && call.TargetMethod.ReturnType.Name is "Task" or "ValueTask");

    /// <summary>An expression with all that goes into it: variables as they were set, and the bodies of functions it calls.</summary>
    private IEnumerable<IOperation> Closure(IOperation value, HashSet<ISymbol> seen)
    {
        foreach (var part in value.DescendantsAndSelf())
        {
            yield return part;
            if (part is IInvocationOperation call && seen.Add(call.TargetMethod.OriginalDefinition))
            {
                foreach (var inner in BodiesOf(call).SelectMany(body => body.DescendantsAndSelf())) yield return inner;
            }

            if (SymbolOf(part) is not ILocalSymbol local || !seen.Add(local)) continue;
            foreach (var given in Given(local))
            {
                foreach (var inner in Closure(given, seen)) yield return inner;
            }
        }
    }

    private IEnumerable<IOperation> Given(ILocalSymbol local)
    {
        foreach (var operation in Whole.Root().Descendants())
        {
            if (operation is IVariableDeclaratorOperation declarator && SymbolEqualityComparer.Default.Equals(declarator.Symbol, local)
                && declarator.GetVariableInitializer() is { } initializer) yield return initializer.Value;
            if (operation is IAssignmentOperation assignment && SymbolEqualityComparer.Default.Equals(SymbolOf(assignment.Target), local)) yield return assignment.Value;
        }
    }

    private static IEnumerable<IOperation> BodiesOf(IInvocationOperation call)
    {
        foreach (var reference in call.TargetMethod.OriginalDefinition.DeclaringSyntaxReferences)
        {
            if (call.SemanticModel is { } model && model.SyntaxTree == reference.SyntaxTree && model.GetOperation(reference.GetSyntax()) is { } body) yield return body;
        }
    }

    private bool Grows(IOperation part) => (SymbolOf(part) is { } symbol && Varying.Contains(symbol))
        || part is IInvocationOperation { TargetMethod.Name: var name }
            && (name.IndexOf("Backoff", StringComparison.Ordinal) >= 0 || name.StartsWith("NextDelay", StringComparison.Ordinal));

    private static bool IsChance(IOperation part)
    {
        var member = part switch
        {
            IInvocationOperation call => call.TargetMethod,
            IPropertyReferenceOperation property => property.Property,
            _ => (ISymbol?)null,
        };
        return member is not null && (member.ContainingType?.Name is "IEntropy" or "EntropyDraws" or "Random" or "RandomNumberGenerator"
            || member.ContainingType?.AllInterfaces.Any(offered => offered.Name == "IEntropy") == true
                || member.Name.IndexOf("Jitter", StringComparison.OrdinalIgnoreCase) >= 0);
    }

    private static ISymbol? SymbolOf(IOperation operation) => Uses.Unwrap(operation) switch
    {
        ILocalReferenceOperation local => local.Local,
        IParameterReferenceOperation parameter => parameter.Parameter.OriginalDefinition,
        IFieldReferenceOperation field => field.Field,
        IPropertyReferenceOperation property => property.Property,
        _ => null,
    };

    /// <summary>What stands in a piece of code, but not in functions or loops inside it.</summary>
    private static IEnumerable<IOperation> Own(IOperation operation)
    {
        foreach (var child in operation.ChildOperations)
        {
            if (child is IAnonymousFunctionOperation or ILocalFunctionOperation or ILoopOperation) continue;
            yield return child;
            foreach (var inner in Own(child)) yield return inner;
        }
    }
}
