using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Operations;

namespace Ork.Analyzers.Apis;

/// <summary>
/// Whether a task is known to have ended where its result is asked for: it was awaited before, found completed, or made from a value. Its result then
/// blocks nobody.
/// </summary>
internal static class Completion
{
    internal static bool IsNotKnown(ApiUse use)
    {
        var task = TaskOf(use.Operation);
        if (task is null) return true;
        if (task is IInvocationOperation { TargetMethod: { ContainingType.Name: "Task" or "ValueTask", Name: "FromResult" or "FromException" } }) return false;
        if (task is IArrayElementReferenceOperation { ArrayReference: var tasks } && SymbolOf(tasks) is { } array) return !IsEstablished(array, use.Operation);
        if (task is IPropertyReferenceOperation { Property.IsIndexer: true, Instance: { } list }
            && SymbolOf(list) is { } indexed) return !IsEstablished(indexed, use.Operation);
        if (SymbolOf(task) is not { } symbol) return true;
        return !IsAntecedent(symbol, use.Operation) && !IsEstablished(symbol, use.Operation) && !IsOfEnded(symbol, use.Operation) && !IsTheEnded(symbol, use.Operation);
    }

    /// <summary>One of several tasks that were all awaited: in a loop over them, or in a function that LINQ hands each.</summary>
    private static bool IsOfEnded(ISymbol symbol, IOperation use)
    {
        for (var at = use.Parent; at is not null; at = at.Parent)
        {
            var items = at switch
            {
                IForEachLoopOperation { LoopControlVariable: IVariableDeclaratorOperation item } loop when SymbolEqualityComparer.Default.Equals(item.Symbol,
                    symbol) => loop.Collection,
                IAnonymousFunctionOperation { Symbol: var function } when SymbolEqualityComparer.Default.Equals(symbol.ContainingSymbol, function) => SourceOf(at),
                _ => null,
            };
            if (items is not null && SymbolOf(items) is { } tasks) return IsEstablished(tasks, at);
        }

        return false;
    }

    /// <summary>What a LINQ call goes through, that a function stands in.</summary>
    private static IOperation? SourceOf(IOperation function)
    {
        var at = function.Parent;
        while (at is IDelegateCreationOperation or IConversionOperation or IArgumentOperation) at = at.Parent;
        return at is IInvocationOperation { TargetMethod.ContainingType.Name: "Enumerable", Arguments: [var first, ..] } ? first.Value : null;
    }

    /// <summary>The task that WhenAny said has ended.</summary>
    private static bool IsTheEnded(ISymbol symbol, IOperation use)
    {
        return symbol is ILocalSymbol local && local.DeclaredValue(use) is { } value
            && Uses.Unwrap(value) is IAwaitOperation { Operation: IInvocationOperation { TargetMethod.Name: "WhenAny" } };
    }

    private static IOperation? TaskOf(IOperation operation)
    {
        var receiver = operation switch
        {
            IPropertyReferenceOperation property => property.Instance,
            IInvocationOperation invocation => invocation.Instance,
            _ => null,
        };
        if (receiver is null) return null;
        receiver = Uses.Unwrap(receiver);
        while (receiver is IInvocationOperation { TargetMethod.Name: "GetAwaiter" or "ConfigureAwait", Instance: { } inner }) receiver = Uses.Unwrap(inner);
        return receiver;
    }

    private static ISymbol? SymbolOf(IOperation operation) => Uses.Unwrap(operation) switch
    {
        ILocalReferenceOperation local => local.Local,
        IParameterReferenceOperation parameter => parameter.Parameter,
        IFieldReferenceOperation { Instance: null or IInstanceReferenceOperation } field => field.Field,
        IPropertyReferenceOperation { Instance: null or IInstanceReferenceOperation } property => property.Property,
        _ => null,
    };

    /// <summary>The task that a continuation is handed has ended.</summary>
    private static bool IsAntecedent(ISymbol symbol, IOperation use)
    {
        if (symbol is not IParameterSymbol { ContainingSymbol: IMethodSymbol { MethodKind: MethodKind.AnonymousFunction } }) return false;
        for (var at = use.Parent; at is not null; at = at.Parent)
        {
            if (at is IArgumentOperation { Parent: IInvocationOperation { TargetMethod.Name: "ContinueWith" or "ContinueWhenAll" or "ContinueWhenAny" } }) return true;
        }

        return false;
    }

    /// <summary>Every way to the use goes past an await of the task, or past a look at whether it is completed.</summary>
    private static bool IsEstablished(ISymbol symbol, IOperation use)
    {
        IOperation from = use;
        for (var at = use.Parent; at is not null; from = at, at = at.Parent)
        {
            switch (at)
            {
                case IConditionalOperation conditional when from == conditional.WhenTrue && Says(conditional.Condition, symbol, holds: true):
                case IConditionalOperation otherwise when from == otherwise.WhenFalse && Says(otherwise.Condition, symbol, holds: false):
                case IBinaryOperation { OperatorKind: BinaryOperatorKind.ConditionalAnd } both when from == both.RightOperand
                    && Says(both.LeftOperand, symbol, holds: true):
                case IBinaryOperation { OperatorKind: BinaryOperatorKind.ConditionalOr } either when from == either.RightOperand
                    && Says(either.LeftOperand, symbol, holds: false):
                    return true;
                case IBlockOperation block when block.Operations.TakeWhile(statement => statement != from).Any(statement => Establishes(statement, symbol)):
                    return true;
                case IAnonymousFunctionOperation or ILocalFunctionOperation:
                    return false;
            }
        }

        return false;
    }

    /// <summary>A statement after which the task has ended: one that awaits it, or leaves where it has not.</summary>
    private static bool Establishes(IOperation statement, ISymbol symbol) => statement switch
    {
        IConditionalOperation { WhenFalse: null } conditional when Leaves(conditional.WhenTrue) => Says(conditional.Condition, symbol, holds: false),
        IWhileLoopOperation { Condition: { } condition } => Says(condition, symbol, holds: false),
        IConditionalOperation or ILoopOperation or ISwitchOperation or ITryOperation or ILocalFunctionOperation => false,
        _ => statement.DescendantsAndSelf().OfType<IAwaitOperation>().Any(awaits => Awaits(awaits.Operation, symbol)),
    };

    private static bool Awaits(IOperation awaited, ISymbol symbol)
    {
        awaited = Uses.Unwrap(awaited);
        if (SymbolEqualityComparer.Default.Equals(SymbolOf(awaited), symbol)) return true;
        if (awaited is not IInvocationOperation invocation) return false;
        return invocation.TargetMethod.Name switch
        {
            "ConfigureAwait" or "WaitAsync" => invocation.Instance is { } instance && Awaits(instance, symbol),
            "WhenAll" => invocation.Arguments.Any(argument =>
                argument.Value.DescendantsAndSelf().Any(value => SymbolEqualityComparer.Default.Equals(SymbolOf(value), symbol))),
            _ => false,
        };
    }

    /// <summary>True where a condition that <paramref name="holds"/>, or does not, says that the task is completed.</summary>
    private static bool Says(IOperation condition, ISymbol symbol, bool holds) => Uses.Unwrap(condition) switch
    {
        IUnaryOperation { OperatorKind: UnaryOperatorKind.Not } negation => Says(negation.Operand, symbol, !holds),
        IBinaryOperation { OperatorKind: BinaryOperatorKind.ConditionalAnd } both when holds => Says(both.LeftOperand, symbol, true)
            || Says(both.RightOperand, symbol, true),
        IBinaryOperation { OperatorKind: BinaryOperatorKind.ConditionalOr } either when !holds => Says(either.LeftOperand, symbol, false)
            || Says(either.RightOperand, symbol, false),
        IPropertyReferenceOperation { Property.Name: "IsCompleted" or "IsCompletedSuccessfully" or "IsFaulted" or "IsCanceled", Instance: { } instance } =>
            holds && SymbolEqualityComparer.Default.Equals(SymbolOf(instance), symbol),
        IBinaryOperation { OperatorKind: BinaryOperatorKind.Equals, LeftOperand: var status, RightOperand: var wanted } => holds
            && Uses.Unwrap(status) is IPropertyReferenceOperation { Property.Name: "Status", Instance: { } of }
                && SymbolEqualityComparer.Default.Equals(SymbolOf(of), symbol)
            && Uses.Unwrap(wanted) is IFieldReferenceOperation { Field.Name: "RanToCompletion" or "Faulted" or "Canceled" },
        IIsPatternOperation { Value: var value, Pattern: IRecursivePatternOperation pattern } => holds && SymbolEqualityComparer.Default.Equals(SymbolOf(value), symbol)
            && pattern.PropertySubpatterns.Any(sub => sub.Member is IPropertyReferenceOperation { Property.Name: "IsCompleted" or "IsCompletedSuccessfully" }
                && sub.Pattern is IConstantPatternOperation { Value.ConstantValue: { HasValue: true, Value: true } }),
        _ => false,
    };

    private static bool Leaves(IOperation statement) => statement switch
    {
        IReturnOperation or IThrowOperation or IBranchOperation => true,
        IExpressionStatementOperation { Operation: IThrowOperation } => true,
        IBlockOperation { Operations: [.., var last] } => Leaves(last),
        _ => false,
    };
}
